/** House §3 as rules; each says why. `npm run imports` also fails below a floor of modules seen. */
const never = (name, comment, from, to) => ({ name, comment, severity: 'error', from, to });
const test = '\\.(test|contract|bench)\\.tsx?$';
const types = { dependencyTypesNot: ['type-only'] };

/** @type {import('dependency-cruiser').IConfiguration} */
export default {
  forbidden: [
    never(
      'kit-stands-alone',
      'an author imports the kit; the kit imports zod and nothing else, or every module drags in the server',
      { path: '^modules/kit/', pathNot: `${test}|testing\\.ts$` },
      { pathNot: '^modules/kit/|node_modules/zod' },
    ),
    never(
      'modules-are-pure',
      'events, reducers and queries are folded again years later: no server, no app, no react, no node',
      { path: '^modules/(?!kit/)[^/]+/(?!dashboards/|services)', pathNot: test },
      {
        path: '^(server|app)/|node_modules/(react|next|socket\\.io|ioredis)|^node:|^(fs|path|crypto|os|http)$',
      },
    ),
    never(
      'modules-meet-in-events-and-reducers',
      'another module may change its queries and dashboards at will',
      { path: '^modules/(?!kit/)([^/]+)/', pathNot: test },
      { path: '^modules/(?!kit/)([^/]+)/(queries|dashboards|services|module)', pathNot: '^modules/$1/' },
    ),
    never(
      'dashboards-take-types-only',
      'a dashboard runs in the browser: values of queries, reducers and events would bring the fold into the bundle',
      { path: '^modules/[^/]+/dashboards/', pathNot: test },
      { path: '^(server/|modules/(kit|[^/]+/(queries|reducers|events|module)))', ...types },
    ),
    never(
      'core-is-portable',
      'adapters and edges know libraries; the core must run over memory in a test',
      {
        path: '^server/(archive|stream|state|live|services|ingest|access|roster)/[^/]+\\.ts$',
        pathNot: `${test}|/(socket|learning-observer-socket|http|attach[^/]*|redis-[^/]+|prisma-[^/]+|part-b-socket)\\.ts$|^server/(access|roster)/`,
      },
      { path: 'node_modules/(ioredis|@prisma|socket\\.io|next|pg)/|^server/generated', ...types },
    ),
    never(
      'one-reader-of-the-environment',
      'settings are parsed once, in env.ts; main hands them on',
      { path: '^server/(?!env\\.ts|main\\.ts|starting\\.ts|commands/)' },
      { path: '^server/env\\.ts$', ...types },
    ),
    never(
      'permits-are-made-in-one-place',
      'whoever can make a permit can see any child: only server/access may',
      { pathNot: '^server/access/' },
      { path: '^server/access/permit\\.ts$', ...types },
    ),
    never(
      'edges-do-not-know-the-app',
      'the server runs without pages',
      { path: '^server/', pathNot: '^server/main\\.ts$' },
      { path: '^app/' },
    ),
    never(
      'app-reaches-the-server-through-runtime',
      'two module graphs: anything else imported here would exist twice, silently (house §4)',
      { path: '^app/', pathNot: test },
      { path: '^server/(?!runtime\\.ts$)', ...types },
    ),
    never(
      'client-folders-take-types-only',
      'live, charts and ui are browser code',
      { path: '^app/(live|charts|ui|capture)/', pathNot: test },
      { path: '^server/', ...types },
    ),
    never(
      'no-cycles',
      'a cycle is two files that are one idea',
      {},
      { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    ),
  ],
  options: {
    parser: 'swc',
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^(server/generated|\\.next|var)' },
    enhancedResolveOptions: {
      conditionNames: ['default', 'import', 'require', 'node'],
      extensions: ['.ts', '.tsx', '.mjs', '.js', '.json'],
    },
  },
};
