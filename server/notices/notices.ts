/**
 * Small messages between processes: change notices of states and of access. At most once, in no order across topics;
 * whoever needs more repairs by comparing (delivery.md §14).
 */
export type Notices = {
  publish(topic: string, message: string): void;
  subscribe(topic: string, listener: (message: string) => void): () => void;
  close(): Promise<void>;
};
