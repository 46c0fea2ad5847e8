import { redirect } from 'next/navigation';
import { runtime } from '#server/runtime.ts';
import { requireViewer } from './viewer.ts';

/** Sends everybody to where they work. */
export default async function HomePage() {
  const viewer = await requireViewer();
  const { roster } = runtime();
  if ((await roster.listClassrooms(viewer)).length > 0) redirect('/classes');
  redirect((await roster.listOwnClassrooms(viewer)).length > 0 ? '/write' : '/classes');
}
