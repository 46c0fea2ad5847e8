import type { Mutant } from './mutant.ts';

/** What must hold of what was acknowledged, over kills, power cuts and full disks (delivery.md §5, §6). */
export const ARCHIVE_MUTANTS: readonly Mutant[] = [
  {
    id: 'M1',
    sabotage: 'groups are written and never synced',
    file: 'server/archive/writer.ts',
    pattern: /( {2}const since = performance\.now\(\);\n) {2}await segment\.file\.datasync\(\);\n/,
    replacement: '$1',
    tests: ['server/archive/faults.test.ts'],
  },
  {
    id: 'M2b',
    sabotage: 'the archive answers before the sync',
    file: 'server/archive/writer.ts',
    pattern:
      /( {2}const since = performance\.now\(\);\n) {2}await segment\.file\.datasync\(\);\n([\s\S]*? {2}answer\(state, group\);)/,
    replacement: '$1$2\n  await segment.file.datasync();',
    tests: ['server/archive/faults.test.ts'],
  },
  {
    id: 'M4b',
    sabotage: 'a start gives nothing of what the archive held of producers',
    file: 'server/archive/file-archive.ts',
    pattern: 'started.table ? rowsOf(started.table, started.streams) : []',
    replacement: '[] as ProducerRow[]',
    tests: ['server/archive/producers-table.test.ts'],
  },
  {
    id: 'M8',
    sabotage: 'a short write is taken for a whole one',
    file: 'server/archive/file-system.ts',
    pattern: 'done += written;',
    replacement: 'done += bytes.length;',
    tests: ['server/archive/faults.test.ts'],
  },
  {
    id: 'M16',
    sabotage: 'a start reads on in an unsynced tail instead of sealing it',
    file: 'server/archive/file-archive.ts',
    pattern:
      /for \(const source of unsealed\) await sealSegment\(sealing, source\);([\s\S]*?)fence: \(newest\?\.last \?\? -1\) \+ 1/,
    replacement: '$1fence: unsealed.at(-1)?.end ?? (newest?.last ?? -1) + 1',
    tests: ['server/archive/faults.test.ts'],
    names: 'survives a power cut after the next start',
  },
  {
    id: 'H2',
    sabotage: 'listeners hear entries before the sync',
    file: 'server/archive/writer.ts',
    pattern:
      /( {2}const since = performance\.now\(\);\n) {2}await segment\.file\.datasync\(\);\n([\s\S]*?) {2}state\.options\.onDurable\(entries\);\n/,
    replacement:
      '$1  options.onDurable(group.drafts.map((draft, i) => Object.assign(draft, { o: first + i })));\n' +
      '  await segment.file.datasync();\n$2',
    tests: ['server/archive/faults.test.ts', 'server/archive/archive.test.ts'],
  },
  {
    id: 'H6',
    sabotage: 'a group is believed without its checksum',
    file: 'server/archive/group.ts',
    pattern:
      'if (crc32(bytes.subarray(start + AT.suite, end)) !== bytes.readUInt32LE(start + AT.crc)) return undefined;',
    replacement: '',
    tests: ['server/archive/damage.test.ts'],
  },
  {
    id: 'H7',
    sabotage: 'damage in the middle is taken for a torn tail',
    file: 'server/archive/scan-open.ts',
    pattern: ' && !hasGroupAfter(bytes, at, header)',
    replacement: '',
    tests: ['server/archive/damage.test.ts'],
  },
  {
    id: 'H8',
    sabotage: 'a full disk leaves the half of a group in the file',
    file: 'server/archive/writer.ts',
    pattern: '    await segment.file.truncate(segment.bytes);\n',
    replacement: '',
    tests: ['server/archive/faults.test.ts'],
  },
  {
    id: 'H9',
    sabotage: 'after a failed sync appends go on',
    file: 'server/archive/writer.ts',
    pattern: "if (state.failure !== undefined) return 'archive-failed';",
    replacement: '',
    tests: ['server/archive/faults.test.ts'],
  },
];
