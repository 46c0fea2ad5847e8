import { openMemoryNotices } from './memory-notices.ts';
import { describeNotices } from './notices.contract.ts';

describeNotices('notices in memory', async () => {
  const notices = openMemoryNotices();
  return [notices, notices];
});
