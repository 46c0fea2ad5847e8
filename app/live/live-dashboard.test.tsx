import { renderToString } from 'react-dom/server';
import { expect, test } from 'vitest';
import { DashboardBoundary } from './dashboard-boundary.tsx';
import { LiveDashboard } from './live-dashboard.tsx';

const classroom = { id: 'c1', name: 'C', timezone: 'UTC' };

test('on the server a dashboard is empty and busy: rows come over the live connection alone', () => {
  const markup = renderToString(
    <LiveDashboard classroom={classroom} module="writing" query="class-dashboard" studentBase="/s" />,
  );
  expect(markup).toBe('<div aria-busy="true"></div>');
});

test('a view that breaks is said to have broken', () => {
  expect(DashboardBoundary.getDerivedStateFromError()).toEqual({ hasFailed: true });
  const boundary = new DashboardBoundary({ children: 'well' });
  expect(boundary.render()).toBe('well');
  boundary.state = { hasFailed: true };
  expect(renderToString(boundary.render())).toContain('This view stopped working.');
});
