'use client';
import { useRouter } from 'next/navigation';
import { useCallback } from 'react';
import { LiveDashboard, type LiveDashboardProps } from './live-dashboard.tsx';

/**
 * A live dashboard on a page: when the server is back after it was gone, what the server rendered around the dashboard
 * is fetched again. It may be another release, with other dashboards in the tabs.
 */
export function LivePage(props: LiveDashboardProps) {
  const router = useRouter();
  const refresh = useCallback(() => router.refresh(), [router]);
  return <LiveDashboard {...props} onBack={refresh} />;
}
