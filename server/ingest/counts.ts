export type Edge = 'socket' | 'learning-observer' | 'http';

/** How each event that came in ended; `received` is their sum, and what is still on its way to the disk. */
export type EdgeCounts = {
  received: number;
  stored: number;
  duplicate: number;
  bad: number;
  declined: number;
  refused: number;
};

export type IngestCounts = {
  readonly edges: Readonly<Record<Edge, Readonly<EdgeCounts>>>;
  /** Frames and events by their code, of every end but stored. */
  readonly codes: Readonly<Record<string, number>>;
  /** Connections by note (`clock-skewed`, `claim-mismatch`, …). */
  readonly notes: Readonly<Record<string, number>>;
};

export type End = 'stored' | 'duplicate' | 'bad' | 'declined' | 'refused';

export type Counter = {
  received(edge: Edge, count: number): void;
  ended(edge: Edge, end: End, count: number, code?: string): void;
  noted(note: string): void;
  snapshot(): IngestCounts;
};

/** The five ends of delivery.md D2, counted where they are decided. */
export function openCounter(): Counter {
  const edges = { socket: zero(), 'learning-observer': zero(), http: zero() };
  const codes: Record<string, number> = {};
  const notes: Record<string, number> = {};
  return {
    received(edge, count) {
      edges[edge].received += count;
    },
    ended(edge, end, count, code) {
      edges[edge][end] += count;
      if (code !== undefined) codes[code] = (codes[code] ?? 0) + count;
    },
    noted(note) {
      notes[note] = (notes[note] ?? 0) + 1;
    },
    snapshot: () => structuredClone({ edges, codes, notes }),
  };
}

function zero(): EdgeCounts {
  return { received: 0, stored: 0, duplicate: 0, bad: 0, declined: 0, refused: 0 };
}
