import { notFound } from 'next/navigation';
import { requireViewer } from '#app/viewer.ts';
import { runtime } from '#server/runtime.ts';
import { WritingPad } from './writing-pad.tsx';
import './write.css';

export const metadata = { title: 'Write' };

/** The built-in editor; for students in a class, since only a class has somebody who may read along. */
export default async function WritePage() {
  const viewer = await requireViewer();
  const classrooms = await runtime().roster.listOwnClassrooms(viewer);
  if (classrooms.length === 0) notFound();
  const readers = [...new Set(classrooms.flatMap((classroom) => classroom.teachers))];
  return <WritingPad key={viewer.personId} student={viewer.personId} readers={readers} />;
}
