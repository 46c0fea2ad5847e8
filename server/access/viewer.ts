/** Who looks: made from a session only (`server/auth`), never from what a client says. */
export type Viewer = {
  readonly personId: string;
  readonly schoolId: string;
  readonly name: string;
  readonly sessionId: string;
  readonly roles: readonly ('school-admin' | 'district-admin' | 'researcher' | 'operator')[];
  /** Address cut to /24 or /48, for the audit. */
  readonly address: string;
};
export type Action = 'read' | 'subscribe' | 'change';
