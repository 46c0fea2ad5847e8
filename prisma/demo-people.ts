import { derivedId } from '../server/new-id.ts';

export type DemoPerson = {
  readonly id: string;
  readonly email: string;
  readonly givenName: string;
  readonly familyName: string;
  readonly as: 'teacher' | 'co-teacher' | 'admin' | 'student';
};

/** Ids of the demo school follow from names, so that a command can address its people without the database. */
export const demoId = (name: string): string => derivedId(`demo school: ${name}`);

export const DEMO_SCHOOL_ID = demoId('school');
export const DEMO_CLASSES = {
  english: demoId('class English 8b'),
  history: demoId('class History 7a'),
  visitors: demoId('class Visitors'),
} as const;

/** How many of the students are in *English 8b*; the rest are in *History 7a*. */
export const ENGLISH_STUDENTS = 30;

const STAFF = [
  ['teacher@demo.test', 'Marguerite', 'Okonjo', 'teacher'],
  ['coteacher@demo.test', 'Stellan', 'Brandvik', 'co-teacher'],
  ['other-teacher@demo.test', 'Ravindra', 'Castellanos', 'teacher'],
  ['admin@demo.test', 'Philippa', 'Nakagawa', 'admin'],
] as const;

/** Invented names; the first 30 are of English 8b, the last 8 of History 7a. */
const STUDENTS = `
Ada Lindqvist, Amara Okafor, Aram Karapetyan, Bea Thornbury, Chidi Eze, Dmitri Volkonin,
Elin Sandström, Farid Mansouri, Grace Wambui, Hana Yamazaki, Ibrahim Diallo, Ines Carvalhal,
Jonah Rosenthal, Kavya Pillai, Leila Haddad, Liam Brennan, Lucía Ferrándiz, Malik Johnson,
Mei-Ling Zhou, Mirek Novotný, Nadia Abboud, Noor Siddiqui, Oskar Lehtonen, Penelope Georgiou,
Rashid Tahiri, Rosa Marchetti, Samuel Owusu, Siobhán Kilbride, Tuyết Phan, Yusuf Ibragimov,
Anneke Dijkhuis, Bilal Qadri, Carmen Villalobos, Daniyar Seitkali, Esi Kumah, Finn Halloran,
Giulia Ravenna, Zola Ndlovu`
  .split(',')
  .map((name) => name.trim().split(' '));

const person = (email: string, givenName: string, familyName: string, as: DemoPerson['as']): DemoPerson => ({
  id: demoId(`person ${email}`),
  email,
  givenName,
  familyName,
  as,
});

/** Everybody of the demo school: staff first, then students in the order of their addresses. */
export const DEMO_PEOPLE: readonly DemoPerson[] = [
  ...STAFF.map(([email, given, family, as]) => person(email, given, family, as)),
  ...STUDENTS.map(([given = '', family = ''], index) =>
    person(`student${String(index + 1).padStart(2, '0')}@demo.test`, given, family, 'student'),
  ),
];

export const findDemoPerson = (email: string): DemoPerson | undefined =>
  DEMO_PEOPLE.find((candidate) => candidate.email === email);
