// How a template and a dictionary lie in the kernel's memory: the offsets that both sides use. Compiled by
// AssemblyScript and imported by TypeScript, so that they cannot differ. Numbers only.

/** What stands in a template's slot. `end` closes the template. */
export const slotEnd = 0;
export const slotFloat64 = 1;
export const slotInt64 = 2;
export const slotBool = 3;
export const slotString = 4;
export const slotTime = 5;
export const slotIso = 6;
export const slotJson = 7;
// From here on: read by nobody. A scalar may not be an object, because somebody reads inside one of that name.
export const slotSkip = 8;
export const slotScalar = 9;

// What is added to these numbers where the record is not JSON, and what takes it off again.
export const slotMsgpack = 16;
export const slotFormatMask = 15;

// A template: this header, then its segments. A segment is a literal and the slot behind it.
export const templateAbsent = 0; // address of the list of columns without a slot
export const templateAbsentCount = 4;
export const templateBytesMax = 8; // longest payload that it may take
// Where these are not 0, the template is a stencil: the length of its records, and the address of its pattern, which is
// sixteen bytes and their mask by turns.
export const stencilLength = 12;
export const stencilPattern = 16;
export const templateHeader = 32;

export const segmentText = 0; // the last 16 bytes of the literal, or all of it and zeros
export const segmentMask = 16; // one bit for each of those bytes that counts
export const segmentLength = 20; // how many those are
export const segmentLead = 24; // address of the bytes before them
export const segmentLeadLength = 52;
export const segmentKind = 28;
export const segmentValues = 32; // address of the column's values
export const segmentValid = 36; // address of the column's validity
export const segmentNulls = 40; // address of the column's null mark
export const segmentExtra = 44; // string: its dictionary; json: addresses of ends by row
export const segmentShift = 48; // time: power of ten to milliseconds; json, skip: depth of the parent
export const segmentSigned = 56; // not 0 once a negative number was here: written by the kernel
export const segmentLong = 60; // string, one byte: not 0 once a text of eight bytes or more was here: written by the kernel
export const segmentNew = 61; // string, one byte: not 0 while most texts are new: written by the kernel
export const segmentBytes = 64;

// A segment of a stencil is one value, and uses the places that are for literals otherwise.
export const stencilSwizzle = 0; // where each of eight bytes of a little-endian number comes from
export const stencilSpare = 16; // by how many bits an integer is narrower than 64
export const stencilOffset = 20; // where it stands in the record
export const stencilForm = 24; // in what form
export const stencilSize = 52; // of text and varints: bytes
export const stencilLogical = 56; // not 0 where an integer has no sign
export const stencilZigzag = 60; // 1 where the lowest bit of a varint is its sign

export const formFloat64 = 0;
export const formFloat32 = 1;
export const formInteger = 2;
export const formVarint = 3;
export const formBool = 4;
export const formText = 5;
export const formDefault = 6; // it is not there

// A column without a slot, in the list of those: two addresses.
export const absentValid = 0;
export const absentNulls = 4;
export const absentBytes = 8;

// A dictionary: places are open-addressed, entries are the ends of the texts.
export const dictionaryPlaces = 0;
export const dictionaryShift = 4; // 32 - the binary logarithm of the number of places
export const dictionaryEnds = 8; // address of the end of text 0; the word before it is 0
export const dictionaryCount = 12;
export const dictionaryCountMax = 16;
export const dictionaryText = 20;
export const dictionaryUsed = 24;
export const dictionaryUsedMax = 28;
export const dictionaryBytes = 32;

// A place begins with the first 16 bytes of its text, filled up with zeros, so that most texts are found in one line.
export const placeLength = 16;
export const placeCode = 20; // code + 1; 0 when the place is free
export const placeHash = 24;
export const dictionaryPlaceBytes = 32;

// A member of the rows that are written: the text before its value, and where the values lie, row by row.
export const memberText = 0; // address of the text
export const memberLength = 4;
export const memberKind = 8;
export const memberValues = 12; // address of the values; of all texts, one behind the other
export const memberValid = 16; // address of the validity; 0 when no row is null
export const memberEnds = 20; // texts: address of where that of row 0 begins; where it ends follows
export const memberBytes = 32;
export const memberNumber = 0;
export const memberBool = 1;
export const memberString = 2;

/** Bytes behind every region that a 16-byte read may touch. */
export const padding = 64;

// A template of protobuf messages of any form: where this is not 0, the address of its nodes, a message each.
export const messageNodes = 20;
export const nodeEntries = 0; // address of its fields, which are segments
export const nodeCount = 4;
export const nodeOpened = 8; // the row that it was met in last
export const nodeNodes = 12; // of the first node: how many there are
export const nodeBytes = 16;

// A field of a message: a segment with what a stencil's value has, but for these.
export const entryNumber = 0;
export const entryWire = 4; // -1 where it may be any
export const entryPresence = 8; // not 0 where it is null when it is not there
export const entryEmpty = 20; // one more than the code of ""; 0 where it was not looked up
export const entryChild = 12; // the node of the message that stands here
