import { defineModule } from '#modules/kit/index.ts';
import { writing } from './events.ts';
import { classDashboard, student } from './queries.ts';
import { acts } from './reducers/acts.ts';
import { captureGaps } from './reducers/capture-gaps.ts';
import { documentText } from './reducers/document-text.ts';
import { documents } from './reducers/documents.ts';
import { growth } from './reducers/growth.ts';
import { pastes } from './reducers/pastes.ts';
import { presence } from './reducers/presence.ts';
import { pulse } from './reducers/pulse.ts';
import { timeOnTask } from './reducers/time-on-task.ts';

export default defineModule({
  name: 'writing',
  title: 'Writing',
  sources: [writing],
  reducers: [documentText, documents, growth, timeOnTask, pulse, pastes, presence, captureGaps, acts],
  queries: [classDashboard, student],
});
