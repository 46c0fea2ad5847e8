-- CreateTable
CREATE TABLE "School" (
    "id" TEXT NOT NULL,
    "parentId" TEXT,
    "kind" TEXT NOT NULL DEFAULT 'school',
    "name" TEXT NOT NULL,
    "timezone" TEXT NOT NULL,
    "locale" TEXT NOT NULL,
    "state" TEXT NOT NULL DEFAULT 'active',
    "createdAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "School_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "SchoolDomain" (
    "domain" TEXT NOT NULL,
    "schoolId" TEXT NOT NULL,
    "verifiedAt" TIMESTAMPTZ(3),
    "teachersMaySelfRegister" BOOLEAN NOT NULL DEFAULT false,
    "createdAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "SchoolDomain_pkey" PRIMARY KEY ("domain")
);

-- CreateTable
CREATE TABLE "DomainPolicy" (
    "schoolId" TEXT NOT NULL,
    "domain" TEXT NOT NULL,
    "action" TEXT NOT NULL DEFAULT 'send',
    "claims" TEXT NOT NULL DEFAULT 'off',
    "claimNetworks" TEXT[],
    "claimsUntil" TIMESTAMPTZ(3),
    "note" TEXT,
    "createdAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "DomainPolicy_pkey" PRIMARY KEY ("schoolId","domain")
);

-- CreateTable
CREATE TABLE "Person" (
    "id" TEXT NOT NULL,
    "schoolId" TEXT NOT NULL,
    "givenName" TEXT NOT NULL,
    "familyName" TEXT NOT NULL,
    "preferredName" TEXT,
    "sortName" TEXT NOT NULL,
    "email" TEXT,
    "emailVerified" TIMESTAMPTZ(3),
    "image" TEXT,
    "grade" TEXT,
    "state" TEXT NOT NULL DEFAULT 'active',
    "claimed" BOOLEAN NOT NULL DEFAULT false,
    "accessEpoch" INTEGER NOT NULL DEFAULT 0,
    "lastSeenAt" TIMESTAMPTZ(3),
    "createdAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "Person_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "ExternalId" (
    "id" TEXT NOT NULL,
    "personId" TEXT NOT NULL,
    "schoolId" TEXT NOT NULL,
    "kind" TEXT NOT NULL,
    "issuer" TEXT NOT NULL,
    "value" TEXT NOT NULL,
    "verifiedAt" TIMESTAMPTZ(3),
    "source" TEXT NOT NULL,
    "createdAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "ExternalId_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "RoleHolding" (
    "id" TEXT NOT NULL,
    "personId" TEXT NOT NULL,
    "schoolId" TEXT NOT NULL,
    "role" TEXT NOT NULL,
    "from" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "until" TIMESTAMPTZ(3),
    "givenBy" TEXT,
    "reason" TEXT NOT NULL,
    "createdAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "RoleHolding_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "Account" (
    "provider" TEXT NOT NULL,
    "providerAccountId" TEXT NOT NULL,
    "userId" TEXT NOT NULL,
    "scope" TEXT,
    "accessToken" TEXT,
    "refreshToken" TEXT,
    "expiresAt" TIMESTAMPTZ(3),
    "state" TEXT NOT NULL DEFAULT 'ok',
    "createdAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "Account_pkey" PRIMARY KEY ("provider","providerAccountId")
);

-- CreateTable
CREATE TABLE "Session" (
    "id" TEXT NOT NULL,
    "sessionToken" TEXT NOT NULL,
    "userId" TEXT NOT NULL,
    "expires" TIMESTAMPTZ(3) NOT NULL,
    "lastSeenAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "idleUntil" TIMESTAMPTZ(3) NOT NULL,
    "address" TEXT,
    "agent" TEXT,
    "reauthenticatedAt" TIMESTAMPTZ(3),
    "endedAt" TIMESTAMPTZ(3),
    "createdAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "Session_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "Classroom" (
    "id" TEXT NOT NULL,
    "schoolId" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "section" TEXT,
    "subject" TEXT,
    "grade" TEXT,
    "room" TEXT,
    "state" TEXT NOT NULL DEFAULT 'active',
    "from" TIMESTAMPTZ(3),
    "until" TIMESTAMPTZ(3),
    "source" TEXT NOT NULL,
    "createdAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "Classroom_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "Teaching" (
    "id" TEXT NOT NULL,
    "classroomId" TEXT NOT NULL,
    "personId" TEXT NOT NULL,
    "schoolId" TEXT NOT NULL,
    "as" TEXT NOT NULL,
    "from" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "until" TIMESTAMPTZ(3),
    "source" TEXT NOT NULL,
    "byHand" BOOLEAN NOT NULL DEFAULT false,
    "createdAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "Teaching_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "Enrollment" (
    "id" TEXT NOT NULL,
    "classroomId" TEXT NOT NULL,
    "personId" TEXT NOT NULL,
    "schoolId" TEXT NOT NULL,
    "from" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "until" TIMESTAMPTZ(3),
    "source" TEXT NOT NULL,
    "byHand" BOOLEAN NOT NULL DEFAULT false,
    "createdAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "Enrollment_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "Setting" (
    "scope" TEXT NOT NULL,
    "scopeId" TEXT NOT NULL,
    "schoolId" TEXT NOT NULL,
    "key" TEXT NOT NULL,
    "value" JSONB NOT NULL,
    "locked" BOOLEAN NOT NULL DEFAULT false,
    "byId" TEXT,
    "changedAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "createdAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "Setting_pkey" PRIMARY KEY ("scope","scopeId","key")
);

-- CreateTable
CREATE TABLE "AccessChange" (
    "seq" BIGSERIAL NOT NULL,
    "schoolId" TEXT NOT NULL,
    "personId" TEXT,
    "classroomId" TEXT,
    "sessionId" TEXT,
    "kind" TEXT NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "AccessChange_pkey" PRIMARY KEY ("seq")
);

-- CreateTable
CREATE TABLE "AuditLine" (
    "seq" BIGSERIAL NOT NULL,
    "schoolId" TEXT NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "actorId" TEXT NOT NULL,
    "actingAsId" TEXT,
    "sessionId" TEXT,
    "action" TEXT NOT NULL,
    "subjectKind" TEXT,
    "subjectId" TEXT,
    "classroomId" TEXT,
    "detail" JSONB NOT NULL DEFAULT '{}',
    "address" TEXT,

    CONSTRAINT "AuditLine_pkey" PRIMARY KEY ("seq")
);

-- CreateIndex
CREATE INDEX "School_parentId_idx" ON "School"("parentId");

-- CreateIndex
CREATE INDEX "SchoolDomain_schoolId_idx" ON "SchoolDomain"("schoolId");

-- CreateIndex
CREATE INDEX "DomainPolicy_domain_idx" ON "DomainPolicy"("domain");

-- CreateIndex
CREATE INDEX "Person_schoolId_sortName_idx" ON "Person"("schoolId", "sortName");

-- CreateIndex
CREATE INDEX "Person_email_idx" ON "Person"("email");

-- CreateIndex
CREATE INDEX "ExternalId_personId_idx" ON "ExternalId"("personId");

-- CreateIndex
CREATE UNIQUE INDEX "ExternalId_kind_issuer_value_key" ON "ExternalId"("kind", "issuer", "value");

-- CreateIndex
CREATE INDEX "RoleHolding_personId_role_idx" ON "RoleHolding"("personId", "role");

-- CreateIndex
CREATE INDEX "RoleHolding_schoolId_idx" ON "RoleHolding"("schoolId");

-- CreateIndex
CREATE INDEX "Account_userId_idx" ON "Account"("userId");

-- CreateIndex
CREATE UNIQUE INDEX "Session_sessionToken_key" ON "Session"("sessionToken");

-- CreateIndex
CREATE INDEX "Session_userId_idx" ON "Session"("userId");

-- CreateIndex
CREATE INDEX "Session_expires_idx" ON "Session"("expires");

-- CreateIndex
CREATE INDEX "Classroom_schoolId_state_idx" ON "Classroom"("schoolId", "state");

-- CreateIndex
CREATE INDEX "Teaching_personId_until_idx" ON "Teaching"("personId", "until");

-- CreateIndex
CREATE INDEX "Teaching_classroomId_until_idx" ON "Teaching"("classroomId", "until");

-- CreateIndex
CREATE INDEX "Enrollment_personId_until_idx" ON "Enrollment"("personId", "until");

-- CreateIndex
CREATE INDEX "Enrollment_classroomId_until_idx" ON "Enrollment"("classroomId", "until");

-- CreateIndex
CREATE INDEX "Setting_schoolId_key_idx" ON "Setting"("schoolId", "key");

-- CreateIndex
CREATE INDEX "AccessChange_at_idx" ON "AccessChange"("at");

-- CreateIndex
CREATE INDEX "AuditLine_subjectId_at_idx" ON "AuditLine"("subjectId", "at");

-- CreateIndex
CREATE INDEX "AuditLine_actorId_at_idx" ON "AuditLine"("actorId", "at");

-- CreateIndex
CREATE INDEX "AuditLine_schoolId_at_idx" ON "AuditLine"("schoolId", "at");

-- AddForeignKey
ALTER TABLE "School" ADD CONSTRAINT "School_parentId_fkey" FOREIGN KEY ("parentId") REFERENCES "School"("id") ON DELETE SET NULL ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "SchoolDomain" ADD CONSTRAINT "SchoolDomain_schoolId_fkey" FOREIGN KEY ("schoolId") REFERENCES "School"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "DomainPolicy" ADD CONSTRAINT "DomainPolicy_schoolId_fkey" FOREIGN KEY ("schoolId") REFERENCES "School"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "Person" ADD CONSTRAINT "Person_schoolId_fkey" FOREIGN KEY ("schoolId") REFERENCES "School"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "ExternalId" ADD CONSTRAINT "ExternalId_personId_fkey" FOREIGN KEY ("personId") REFERENCES "Person"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "RoleHolding" ADD CONSTRAINT "RoleHolding_personId_fkey" FOREIGN KEY ("personId") REFERENCES "Person"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "RoleHolding" ADD CONSTRAINT "RoleHolding_schoolId_fkey" FOREIGN KEY ("schoolId") REFERENCES "School"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "Account" ADD CONSTRAINT "Account_userId_fkey" FOREIGN KEY ("userId") REFERENCES "Person"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "Session" ADD CONSTRAINT "Session_userId_fkey" FOREIGN KEY ("userId") REFERENCES "Person"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "Classroom" ADD CONSTRAINT "Classroom_schoolId_fkey" FOREIGN KEY ("schoolId") REFERENCES "School"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "Teaching" ADD CONSTRAINT "Teaching_classroomId_fkey" FOREIGN KEY ("classroomId") REFERENCES "Classroom"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "Teaching" ADD CONSTRAINT "Teaching_personId_fkey" FOREIGN KEY ("personId") REFERENCES "Person"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "Enrollment" ADD CONSTRAINT "Enrollment_classroomId_fkey" FOREIGN KEY ("classroomId") REFERENCES "Classroom"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "Enrollment" ADD CONSTRAINT "Enrollment_personId_fkey" FOREIGN KEY ("personId") REFERENCES "Person"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- What Prisma's schema cannot say: closed lists, and at most one open row for a class and a person.
CREATE UNIQUE INDEX "Enrollment_open" ON "Enrollment" ("classroomId", "personId", (COALESCE("until", 'infinity')));
CREATE UNIQUE INDEX "Teaching_open" ON "Teaching" ("classroomId", "personId", (COALESCE("until", 'infinity')));
ALTER TABLE "School" ADD CONSTRAINT "School_kind" CHECK ("kind" IN ('district', 'school')),
  ADD CONSTRAINT "School_state" CHECK ("state" IN ('active', 'closed'));
ALTER TABLE "Person" ADD CONSTRAINT "Person_state" CHECK ("state" IN ('active', 'suspended', 'left', 'erasing', 'erased'));
ALTER TABLE "ExternalId" ADD CONSTRAINT "ExternalId_kind"
  CHECK ("kind" IN ('google', 'sis', 'oneroster', 'csv', 'clever', 'lti', 'gooru', 'lo', 'email'));
ALTER TABLE "RoleHolding" ADD CONSTRAINT "RoleHolding_role"
  CHECK ("role" IN ('school-admin', 'district-admin', 'researcher', 'operator'));
ALTER TABLE "Account" ADD CONSTRAINT "Account_state" CHECK ("state" IN ('ok', 'expired', 'revoked'));
ALTER TABLE "Classroom" ADD CONSTRAINT "Classroom_state" CHECK ("state" IN ('active', 'archived'));
ALTER TABLE "Teaching" ADD CONSTRAINT "Teaching_as" CHECK ("as" IN ('teacher', 'co-teacher', 'aide')),
  ADD CONSTRAINT "Teaching_order" CHECK ("until" IS NULL OR "until" >= "from");
ALTER TABLE "Enrollment" ADD CONSTRAINT "Enrollment_order" CHECK ("until" IS NULL OR "until" >= "from");
ALTER TABLE "Setting" ADD CONSTRAINT "Setting_scope" CHECK ("scope" IN ('school', 'class', 'teacher'));
ALTER TABLE "DomainPolicy" ADD CONSTRAINT "DomainPolicy_action" CHECK ("action" IN ('send', 'hold', 'drop')),
  ADD CONSTRAINT "DomainPolicy_claims" CHECK ("claims" IN ('off', 'match', 'create'));
ALTER TABLE "AccessChange" ADD CONSTRAINT "AccessChange_kind"
  CHECK ("kind" IN ('roster', 'class', 'role', 'session-ended', 'person', 'setting'));
