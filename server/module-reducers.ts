/** What threads that fold import: each has its own copy of the modules' reducers. */
import { loadModules } from './modules.ts';

export const { reducers } = await loadModules();
