// Written by page_data.py from the dataclasses in reports/ and mnist/: change those.

interface ExplorerSettings {
  columns: string[];
  parameters: string[];
  iterations: number;
  starts: Start[];
  keys: string[];
  paths: Record<string, string[]>;
  line_width: LineWidth;
  limits: Limits;
}

interface Start {
  name: string;
  description: string;
  learning_rate: number;
  values: Record<string, number>;
}

interface LineWidth {
  thinnest: number;
  per_power: number;
  lowest_power: number;
  highest_power: number;
}

interface Limits {
  rounding: number;
  still: number;
  left: number;
}

interface LiveComparison {
  iterations: number;
  searched: number;
  curves: LiveCurve[];
  figures: LiveFigure[];
}

interface LiveCurve {
  label: string;
  learning_rate: number;
  colour: string;
}

interface LiveFigure {
  name: string;
  frame: Frame;
}

interface Frame {
  left: number;
  right: number;
  top: number;
  bottom: number;
  x_range: [number, number];
  y_range: [number, number];
  logarithmic: boolean;
}

interface DigitData {
  mean: number;
  standard_deviation: number;
  epsilon: number;
  layers: LayerFacts[];
  tensors: Record<string, WeightTensor>;
  picks: PickData[];
}

interface LayerFacts {
  name: string;
  kind: string;
  kernel: number | null;
  stride: number | null;
  padding: number | null;
  channels: number;
  size: number;
  receptive_field: number;
  jump: number;
  parameters: number;
  multiply_adds: number;
}

interface WeightTensor {
  shape: number[];
  data: string;
}

interface PickData {
  name: string;
  pixels: string;
}

type Values = Record<string, number>;
type Row = Values & { E_total: number; next: Values };

declare module "*/derivation.js" {
  export function networkStep(values: Values): Row;
  export function networkSlopes(values: Values): Values;
}
