import type { z } from 'zod';

/** Slow or outside work. Its answer is kept under its input, so each input is worked on once. */
export type Service<In = any, Out = any> = {
  readonly name: string;
  readonly version: number;
  readonly run: (input: In) => Promise<Out>;
};

/** Declares a service. `run` may be slow and may throw; its input and its answer are checked by the schemas. */
export function defineService<In extends z.ZodType, Out extends z.ZodType>(service: {
  readonly name: string;
  readonly version?: number;
  readonly input: In;
  readonly output: Out;
  readonly run: (input: z.output<In>) => Promise<z.input<Out>>;
}): Service<z.input<In>, z.output<Out>> {
  return {
    version: 1,
    ...service,
    run: async (input) => service.output.parse(await service.run(service.input.parse(input))),
  };
}
