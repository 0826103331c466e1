// What a fault run may measure instead of counting, as a shape.

export interface MeasurementContext {
  readonly seed: number;
  readonly isShort: boolean;
  /** How long, where it can be chosen; null for its own choice. */
  readonly for_ms: number | null;
  readonly say: (line: string) => void;
}

export interface Measured {
  readonly ok: boolean;
  /** For people. */
  readonly text: string;
}

export interface Measurement {
  readonly name: string;
  readonly about: string;
  run(context: MeasurementContext): Promise<Measured>;
}
