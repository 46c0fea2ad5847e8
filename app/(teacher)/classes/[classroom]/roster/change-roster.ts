'use server';
import { headers } from 'next/headers';
import { redirect } from 'next/navigation';
import { codeOf } from '#app/viewer.ts';
import { runtime } from '#server/runtime.ts';
import { classHref, openClass } from '../../../class-page.ts';

/** Ends a student's enrolment from now on; the page then offers to undo it. */
export async function removeStudent(form: FormData): Promise<void> {
  const { base, permit, student } = await readChange(form);
  await runtime().roster.removeEnrollment(permit, student);
  redirect(`${base}?removed=${encodeURIComponent(student)}`);
}

/** Enrols a student of the school from now on; an unknown id is said beside the field. */
export async function addStudent(form: FormData): Promise<void> {
  const { base, permit, student } = await readChange(form);
  const isKnown = await runtime()
    .roster.addEnrollment(permit, student)
    .then(() => true)
    .catch((error: unknown) => {
      if (codeOf(error) === 'not-found') return false;
      throw error;
    });
  redirect(`${base}?${isKnown ? 'added' : 'unknown'}=${encodeURIComponent(student)}`);
}

async function readChange(form: FormData) {
  await requireOwnPage();
  const { permit, classroom } = await openClass(textOf(form, 'classroom'), 'change');
  return { permit, base: `${classHref(classroom.id)}/roster`, student: textOf(form, 'student') };
}

/** Next compares Origin with Host; we compare it with the list of our own pages, as every route that changes something. */
async function requireOwnPage(): Promise<void> {
  const { auth, publicUrl } = runtime();
  const request = new Request(publicUrl, { headers: new Headers(await headers()) });
  if (!auth.isOwnRequest(request)) throw new Error('changes come from our own pages only');
}

function textOf(form: FormData, name: string): string {
  const value = form.get(name);
  return typeof value === 'string' ? value.trim().slice(0, 200) : '';
}
