// Pieces on the disk as plain data: thirteen numbers each.

import { damaged, numbersOf, packedNumbers, type Plain } from "../plain.ts";
import type { Piece } from "./piece.ts";

const width = 13;

export function packedPieces(pieces: readonly Piece[]): Plain {
  return packedNumbers(
    pieces.flatMap(({ first, count, rows, bytes, at, until, tier, gap, place }) => {
      if (place === null) throw damaged("a piece is in no file");
      return [
        first,
        count,
        rows,
        bytes,
        at,
        until,
        tier,
        gap,
        place.file,
        place.offset,
        place.length,
        place.rows,
        place.skip,
      ];
    }),
  );
}

export function piecesOf(data: Plain): readonly Piece[] {
  const numbers = numbersOf(data);
  if (numbers.length % width !== 0) throw damaged(`expected ${width} numbers for each piece`);
  return Array.from({ length: numbers.length / width }, (_, piece) =>
    pieceOf(numbers.subarray(piece * width, (piece + 1) * width)),
  );
}

function pieceOf(numbers: Float64Array): Piece {
  const isWhole = numbers.every(
    (value, place) => place === 4 || place === 5 || (Number.isSafeInteger(value) && value >= 0),
  );
  const [first, count, rows, bytes, at, until, tier, gap, file, offset, length, frameRows, skip] =
    numbers as unknown as [
      number,
      number,
      number,
      number,
      number,
      number,
      number,
      number,
      number,
      number,
      number,
      number,
      number,
    ];
  if (!isWhole || first < 1 || count < 1 || skip + count > frameRows) throw damaged("a piece has no sense");
  const place = { file, offset, length, rows: frameRows, skip };
  return { first, count, rows, bytes, at, until, tier, gap, block: null, place };
}
