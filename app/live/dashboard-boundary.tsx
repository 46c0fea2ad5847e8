'use client';
import { Component, type ReactNode } from 'react';
import { Notice } from '#app/ui/notice.tsx';

type Props = { readonly children: ReactNode };

/** One view that breaks does not take the page with it. A class, because React has no other boundary. */
export class DashboardBoundary extends Component<Props, { readonly hasFailed: boolean }> {
  override state = { hasFailed: false };

  static getDerivedStateFromError() {
    return { hasFailed: true };
  }

  override render() {
    if (!this.state.hasFailed) return this.props.children;
    return (
      <Notice tone="bad" icon="triangle-alert" fact="This view stopped working." isUrgent>
        Load the page again. The writing itself is safe.
      </Notice>
    );
  }
}
