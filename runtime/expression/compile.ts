// The room's door for whoever binds a configuration: text to expressions and aggregate calls over a
// schema, and to the fields that a text asks for where there is no schema yet.

export { aggregateFieldsOf, compileAggregate } from "./aggregate.ts";
export { compile } from "./bind.ts";
export { underlined } from "./fault.ts";
export { fieldsOf } from "./fields.ts";
