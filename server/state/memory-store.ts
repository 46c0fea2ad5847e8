import { inSlices } from '#server/in-slices.ts';
import { type StateStore, type StudentWrites, taken } from './state-store.ts';

/** A store that lives as long as the process: for tests and for benchmarks. */
export function openMemoryStore(): StateStore {
  let archive = '';
  let fence = -1;
  let checkpoint = -1;
  const students = new Map<string, Map<string, string>>();
  const clear = () => {
    students.clear();
    checkpoint = -1;
  };
  return {
    flushBytes: 40 * 1024 * 1024,
    longestPaceMs: 10_000,
    async claim(claim) {
      if (claim.archive === archive && claim.fence < fence) throw taken();
      if (claim.archive !== archive || checkpoint >= claim.end) clear();
      archive = claim.archive;
      fence = claim.fence;
      return checkpoint;
    },
    async load(student) {
      return { checkpoint, fields: new Map(students.get(student)) };
    },
    async flush(flush) {
      if (flush.fence < fence) return { ok: false, why: 'fenced' };
      if (flush.base !== checkpoint) return { ok: false, why: 'stale' };
      const writes: StudentWrites[] = [];
      await inSlices(flush.writes, (one) => writes.push(one));
      for (const { student, set, del } of writes) {
        const fields = students.get(student) ?? new Map<string, string>();
        for (const field of del) fields.delete(field);
        for (const [field, value] of set) fields.set(field, value);
        if (fields.size > 0) students.set(student, fields);
        else students.delete(student);
      }
      checkpoint = flush.checkpoint;
      return { ok: true };
    },
    async empty(by) {
      if (by >= fence) clear();
    },
    async *students() {
      yield* [...students.keys()];
    },
    async close() {},
  };
}
