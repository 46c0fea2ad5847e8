import { defineModule } from '#modules/kit/index.ts';
import { googleDocs } from './events.ts';
import { docText } from './reducers/doc-text.ts';
import { eventCount } from './reducers/event-count.ts';
import { tabs } from './reducers/tabs.ts';

export default defineModule({
  name: 'google-docs',
  title: 'Google Docs',
  sources: [googleDocs],
  reducers: [docText, tabs, eventCount],
});
