// The types of the data between the server and the page, and of the page's own data.

/** The state of a run. `empty` and `starting` are states of the page; the others come from the server. */
export type RunState =
  | "empty"
  | "starting"
  | "queued"
  | "idle"
  | "running"
  | "paused"
  | "finished"
  | "stopped"
  | "failed"
  | "interrupted";

/** The part of a round that is active; empty before the first round. */
export type Phase = "" | "redraw" | "generator" | "pool" | "student" | "measure";

/** A point of a map: two coordinates and the number of its class. */
export type Dot = [x: number, y: number, label: number];

/** A network's class for an image, and its probability, 0 to 1. */
export type Opinion = [label: number, confidence: number];

/** A point of a curve: the round, then one value for each column; null if nothing was measured. */
export type Point = [round: number, ...values: (number | null)[]];

/** What happened at a round, in words. */
export type Mark = [round: number, text: string];

/** Settings by name, as a run has them or as an arm changes them. */
export type Settings = Record<string, string | number | boolean>;

/** The part of a teacher's card that the page shows. */
export interface TeacherCard {
  name: string;
  title: string;
  classes: string[];
  accuracy: number | null;
  robust: [epsilon: number, accuracy: number] | null;
  image_shape: number[] | null;
  real: boolean; // whether the server has test images of its classes
  sketch: number[][] | null;
  anchors: Dot[] | null;
}

/** The networks' answers for one image: a probability for each class; null if the weights are missing. */
export interface TrialAnswer {
  teacher: number[] | null;
  untrained: number[] | null;
  student: number[] | null;
  classes: string[];
  round: number;
  sentence: string;
}

/** A layer: its kind, then its sizes. A residual layer has two lists of layers, branch and shortcut. */
export type PlainLayer = [kind: string, ...sizes: (number | PlainLayer[])[]];

/** The architecture of a network, and its images: the number of channels and of pixels per side. */
export interface PlainNetwork {
  layers: PlainLayer[];
  image: [channels: number, side: number];
  mean: number[];
  std: number[];
}

/** All weights as codes. For each layer: the step of a code for each output, then the biases. */
export interface RoundedWeights {
  codes: Int8Array | Float32Array;
  numbers: Float32Array;
}

/** The networks in a recording; their weights are base64. */
export interface RecordedNetworks {
  classes: string[];
  student: PlainNetwork;
  students: [learned: number, codes: string, numbers: string][];
  teacher?: PlainNetwork & { numbers: [codes: string, numbers: string] };
}

/** A real test image in the data set's form, and its class. */
export interface RealImage {
  pixels: number[];
  label: number;
}

/** The data of a map: of a run or of typed names. */
export interface MapFacts {
  classes: string[];
  anchors: Dot[];
}

/** The facts of a run that do not change. */
export interface RunFacts extends MapFacts {
  teacher: string;
  student: string;
  image_shape: number[];
  rounds: number;
  measured_on: string;
  latent: string;
  width: number;
  parameters: Record<string, number>;
  config: Settings & { seed: number };
  repeat: { command: string; words: Record<string, string>; onnx?: string }; // why there is no ONNX file
  sketch: number[][];
}

/** One round's samples: the first image of every class, and what teacher and student see in each. */
export interface SampleRow {
  picture?: string; // of a recorded example
  frame: number;
  round: number;
  labels: number[];
  teacher: Opinion[];
  student: Opinion[];
  label_accuracy: number | null;
  pooled: boolean;
}

/** The images that the generator is working on. */
export interface Preview {
  frame: number;
  round: number;
  step: number;
  steps: number;
  count: number;
  label_accuracy: number | null;
}

/** New points of a curve; with `anew` they replace the old ones. */
export interface CurveUpdate {
  anew: boolean;
  points: Point[];
}

/** A value for each curve of a run, by the names in `CURVES`. */
export type Curves<Value> = Record<typeof import("./constants.js").CURVES[number], Value>;

/** The newest diversity, class by class. */
export interface DiversityByClass {
  round: number;
  within: number[];
  across: number[];
  pool: number[];
  label_accuracies: number[];
  named: number[];
}

/** The part of a run that every update contains. */
export interface RunStanding {
  state: RunState;
  ahead: number;
  wait: number | null;
  kept: string;
  error: string;
  pace: number;
  reason: string;
  failure: string;
  round: number;
  rounds_done: number;
  seconds: number;
  left: number | null;
  phase: Phase;
  story: string;
  notes: string[];
  teacher_accuracy: number | null;
  thinned: boolean; // whether the student began with weights of its teacher
  pool: [size: number, capacity: number];
}

/** The changes of a run since the `seq` of the request. With `anew` they replace everything. */
export interface RunUpdate extends RunStanding, Partial<Curves<CurveUpdate>> {
  seq: number;
  anew: boolean;
  run?: RunFacts;
  redraws?: Mark[];
  changes?: Mark[];
  by_class?: DiversityByClass;
  rows?: SampleRow[];
  making?: Preview;
  outputs?: Dot[];
  samples?: Dot[];
}

/** The page's model of a run. */
export interface RunModel extends RunStanding, Curves<Point[]> {
  facts: RunFacts | null;
  redraws: Mark[];
  changes: Mark[];
  by_class: DiversityByClass | null;
  rows: SampleRow[];
  making: Preview | null;
  outputs: Dot[];
  samples: Dot[];
}

/** The result of an arm with a seed. */
export interface ArmResult {
  arm: number;
  seed: number;
  measured: string;
  accuracy: number | null;
  label_accuracy: number | null;
  named: number | null;
  within: number | null;
  across: number | null;
  pool: number | null;
  seconds: number | null; // null in a finished example
  rounds: number;
  steps: number;
  done: boolean;
  failure: string;
}

/** A round of an arm: round (−1 before the first step), work, seconds, then LAB_MEASURES. */
export type CurveRow = (number | null)[];

/** A point over several seeds. */
export type RangeRow = [x: number, mean: number, low: number, high: number, round: number];

/** The changes of an arm. */
export type ArmNews = RunUpdate & { curve: CurveRow[] };

/** A setting in a picker. */
export interface SettingFacts {
  name: string;
  label: string;
  group: string;
  help: string;
  kind: "flag" | "whole" | "number" | "text";
  choices: string[];
  low: number | null;
  high: number | null;
  value: string | number | boolean;
  fixed: boolean; // during a run
}

/** The changes of several arms that run side by side. */
export interface LabUpdate {
  seq: string;
  state: RunState;
  ahead: number;
  wait: number | null;
  error: string;
  kept: string;
  title: string;
  question: string;
  arms: string[];
  seeds: number[];
  budget: string; // of an arm, in words
  done: number; // share of all budgets, 0 to 1
  left: number | null; // seconds
  results: ArmResult[];
  sentences: string[];
  plan: LabPlan; // the values of the form that repeat it
  counted: number[]; // seeds that all arms have finished; empty with one seed
  means: Record<string, [mean: number, low: number, high: number]>[]; // by arm and measure, over these seeds
  ranges: Record<string, RangeRow[]>[] | null; // by arm and measure; null if nothing has changed
  by: "work" | "seconds"; // what the x axis counts
  limit: number; // of an arm, in the unit of the x axis
  references: Record<string, [real: number | null, noise: number | null]>;
  news: (ArmNews | null)[];
}

/** The samples of a round on the map of the run's table. */
export interface PlacedRound {
  round: number;
  at_home: number | null;
  dots: Dot[];
}

/** The changes of the rounds on the map. */
export interface RoundsUpdate {
  seq: number;
  state: RunState;
  run?: MapFacts & { teacher: string; latent: string; width: number };
  rounds?: PlacedRound[];
}

/** The images of a round, and the measures of each class. `missing` is the reason if there are none. */
export interface Batch {
  round: number;
  number: number;
  labels: number[];
  teacher: Opinion[];
  label_accuracy: number | null;
  by_class: Partial<Record<"vendi" | "nearest" | "label_accuracy" | "named", (number | null)[]>>;
  earlier: number | null;
  later: number | null;
  missing?: string;
}

/** The classes of test images, a character each: the true ones, the teacher's, and the student's by round. */
export interface Answers {
  labels: string;
  teacher: string;
  images: number; // the number of measured images; these may be a part of them
  rounds: [learned: number, student: string][];
}

/** The changes of the answers. With `anew` they replace everything. */
export interface AnswersUpdate extends Partial<Answers> {
  seq: number;
  state: RunState;
  anew: boolean;
}

/** A class and a network's answer, by their numbers. Column −1 means every wrong answer of the student. */
export interface PickedAnswers {
  row: number;
  column: number;
  who: "student" | "teacher";
}

/** A strip of images of one label: the address of a JPEG, and the teacher's class for each image. */
export interface RedrawnStrip {
  picture: string;
  teacher: Opinion[];
}

/** One label through many noisy layers, and through one. */
export interface RedrawPreview {
  label: number;
  count: number;
  redrawn: RedrawnStrip;
  held: RedrawnStrip;
  sentence: string;
}

/** The state of a UMAP map: `ready` with dots, else a sentence. */
export interface UmapAnswer {
  state: string;
  sentence?: string;
  anchors?: Dot[];
  outputs?: Dot[];
  samples?: Dot[];
}

/** The values of the form of the embedding explorer. */
export interface EmbeddingForm {
  typed: string;
  prompt: string;
  latent: string;
  encoder: string;
}

/** Cosines between all pairs of names: the upper triangle in thousandths, and a summary. */
export interface CosineSummary {
  cosines: number[];
  mean: number;
  lowest: number;
  highest: number;
  closest: [number, number][];
}

/** The server's answer about typed names, once the state is `ready`. */
export interface EmbeddingAnswer {
  state: "ready";
  asked: { names: string[]; prompt: string; latent: string; seed: number; encoder: string };
  width: number;
  source: string;
  anchors: Dot[];
  before: CosineSummary;
  after: CosineSummary;
  order: number[];
  lowest_mean: number;
}

/** The answer if the server is not ready, or refuses the names. `controls`: offer tables that need no encoder. */
export interface EmbeddingDelay {
  state: "loading" | "refused";
  sentence: string;
  controls?: boolean;
}

/** A run and the token that controls it. Both are missing before the first run. */
export interface RunHandle {
  run?: string;
  token?: string;
}

/** The data about a visitor in the browser's storage. */
export interface Visitor extends RunHandle {
  lesson?: RunHandle & { number: number };
}

/** The difference between the last and the first arm of a lesson. */
export type Outcome = "more" | "less" | "same";

/** The question of a lesson. */
export interface Prediction {
  question: string;
  measure: string;
  margin: number; // a smaller difference counts as no difference
  answers: Record<Outcome, string>;
}

/** One lesson of `app/content/lessons.py`. */
export interface Lesson {
  title: string;
  text: string;
  notice: string;
  leads_on: string; // the link to the lab
  predict: Prediction;
  teacher: string;
  work: number; // of each arm, in billions of multiply-adds
  arms: [title: string, settings: Settings][];
  choice: {
    label: string;
    options: { label: string; changes: Settings; shows: string }[];
    chosen: number;
    arm: boolean;
  };
  plans: { teacher: string; work: number; arms: ArmPlan[] }[]; // the plan of each option
  charts: string[];
  strip: boolean;
  names: string[];
  prompt: string;
  encoder: string;
}

/** An arm in the command that starts a lab. */
export interface ArmPlan {
  title: string;
  preset?: string;
  settings: Settings;
}

/** The plan of a lab. */
export interface LabPlan {
  experiment: string; // empty for own arms
  teacher: string;
  seed: number; // the first
  work: number; // of each arm, in billions of multiply-adds
  repeats: number; // seeds
  arms: ArmPlan[]; // own arms
}

/** The answer to a command that starts a run. */
export interface StartedRun {
  run: string;
  token: string;
  state: RunState;
}

/** A run in the list of its visitor. */
export interface OwnRun {
  run: string;
  name: string;
  notes: string;
  state: RunState;
  teacher: string;
  preset: string;
  seed: number;
  rounds_done: number;
  rounds: number;
  arms: string[]; // of a lab; empty for a single run
  title: string; // of a lab
  accuracy: number | null;
  agreement: number | null;
  teacher_accuracy: number | null;
  began: number; // seconds since 1970; 0 if unknown
}

/** An explanation: its sentence, its symbol, and the address and name of the code that does it. */
export type Explanation = [sentence: string, symbol: string, link: string, name: string];

/** The arguments from Gradio for a script: the element, the properties from Python, and the events. */
export interface GradioMount<Props> {
  element: HTMLElement;
  props: Props;
  trigger: (event: string, data: unknown) => void;
  watch: (property: string, onChange: () => void) => void;
}

declare global {
  interface Window {
    /** Gradio's form calls this with the name of the chosen teacher. */
    nayerChooseTeacher?: (name: string) => void;
    /** Gradio's form calls this with its values whenever one changes. */
    nayerForm?: (values: unknown[]) => void;
    /** Gradio's form calls this with the form of the embedding explorer. */
    nayerEmbed?: (form: EmbeddingForm) => void;
  }
}
