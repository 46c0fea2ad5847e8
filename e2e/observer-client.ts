import type { School } from './school.ts';

/**
 * A client of the Python system, as far as a test needs one: claims to be somebody, types into one document.
 * Written from the protocol's description; Node's own WebSocket, no code of the product.
 */
export async function observerClient(school: School, tag: string) {
  const socket = new WebSocket(`${school.url.replace('http', 'ws')}/wsapi/in/`);
  const heard: Record<string, unknown>[] = [];
  socket.addEventListener('message', (message) => heard.push(JSON.parse(String(message.data))));
  await new Promise((resolve, reject) => {
    socket.addEventListener('open', resolve);
    socket.addEventListener('error', reject);
  });
  const send = (message: unknown) => socket.send(JSON.stringify(message));
  send({ event: 'lock_fields', fields: { source: 'org.mitros.writing_analytics', version: '1.0' } });
  send({ event: 'test_framework_fake_identity', user_id: tag });
  let length = 0;
  return {
    heard,
    type(text: string, doc = 'essay') {
      const commands = [{ ty: 'is', ibi: length + 1, s: text }];
      length += text.length;
      send({
        event: 'google_docs_save',
        doc_id: doc,
        bundles: [{ commands }],
        timestamp: Date.now(),
        metadata: {},
      });
    },
    close() {
      socket.close();
    },
  };
}
