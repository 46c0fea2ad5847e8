import { openMemoryStore } from './memory-store.ts';
import { describeStateStore } from './state-store.contract.ts';

describeStateStore('states in memory', async () => openMemoryStore());
