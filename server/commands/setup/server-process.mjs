// How the server's process is started, everywhere: by `npm start`, by the benchmarks, and as Dockerfile and README say
// (`server-process.test.ts` compares them).

/**
 * Events live for one group commit: a nursery of 16 MiB holds them until they die, and a larger one costs memory and makes
 * each of its collections longer. It begins at that size: what a start loads is not copied a dozen times on the way there.
 * Where all sockets send at once, events outlive a collection, and V8 would from then on make all of their kind in the old
 * generation, where each keeps alive what it refers to: `--no-allocation-site-pretenuring`.
 */
export const SERVER_FLAGS = [
  '--min-semi-space-size=16',
  '--max-semi-space-size=16',
  '--no-allocation-site-pretenuring',
];

/**
 * For a machine with little memory and two cores: the heap is collected when it has grown by this much since it was collected
 * last, where V8 by itself lets it grow up to fourfold. It is marked by one thread beside the main one, where V8 would start
 * four: they are in each other's way, and the main thread marks instead of answering. The nursery is collected meanwhile, too:
 * V8 would let it grow to 72 MB until the heap is marked, and keeps pages that it had once. Costs about a fifth of what one core
 * accepts at most.
 */
export const LITTLE_MEMORY_FLAGS = [
  '--heap-growing-percent=25',
  '--concurrent-marking-max-worker-num=1',
  '--no-separate-gc-phases',
];

/**
 * For the allocator of the C library, which otherwise raises the threshold with the first large buffer that is freed, and
 * keeps what lies between two small ones from then on.
 */
export const SERVER_ENVIRONMENT = { MALLOC_ARENA_MAX: '2', MALLOC_MMAP_THRESHOLD_: '131072' };
