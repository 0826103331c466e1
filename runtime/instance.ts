// What a partition of a pipeline is called where it runs by itself: `climate~3`. The name alone says both, so that an
// instance is assigned, told of, kept and moved as any pipeline is. Knows no pipeline.

/** No pipeline's own name holds it, so an instance never shares its name with one. */
const mark = "~";

/** Names that every object of JavaScript has already are of no pipeline: what is kept by name would be found where there is none. */
export const pipelineNamePattern: RegExp = /^(?!(?:constructor|__proto__)$)[a-z0-9_-]{1,64}$/;

const pattern = /^([^~]*)(?:~(?:0|[1-9]\d{0,2}))?$/;

export interface Instance {
  readonly pipeline: string;
  /** Null where the pipeline runs as a whole. */
  readonly partition: number | null;
}

/** The name of one partition of a pipeline, counted from 0. */
export function instanceName(pipeline: string, partition: number): string {
  return `${pipeline}${mark}${partition}`;
}

/** The pipeline and the partition that a name stands for. */
export function instanceOf(name: string): Instance {
  const [pipeline = name, partition] = name.split(mark);
  return { pipeline, partition: partition === undefined ? null : Number(partition) };
}

/** The name in a key or a subject, which take no `~`: pipeline and partition are two tokens there. */
export function tokensOf(name: string): string {
  const { pipeline, partition } = instanceOf(name);
  return partition === null ? pipeline : `${pipeline}.${partition}`;
}

/** Whether a name is what is asked for: the pipeline, a partition of it, or that very partition. */
export function isMeant(name: string, asked: string): boolean {
  return name === asked || instanceOf(name).pipeline === asked;
}

/** Whether something that runs may be called so. */
export function isInstanceName(name: string): boolean {
  return pipelineNamePattern.test(pattern.exec(name)?.[1] ?? "");
}
