-- AlterTable
ALTER TABLE "Person" ADD COLUMN     "claimsEndedAt" TIMESTAMPTZ(3);
