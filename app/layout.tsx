import 'bulma/css/bulma.min.css';
import '@fontsource-variable/inter/index.css';
import '@fontsource-variable/source-serif-4/index.css';
import './styles/tokens.css';
import './styles/frame.css';
import './styles/notices.css';
import './styles/parts.css';
import './styles/controls.css';
import './styles/panels.css';
import './styles/pages.css';
import './styles/own-pages.css';
import type { Metadata, Viewport } from 'next';
import type { ReactNode } from 'react';

/** The policy's nonce is made for each answer: a page that is rendered ahead has none, and its scripts would not run. */
export const dynamic = 'force-dynamic';

export const metadata: Metadata = {
  title: { default: 'Learning Observer', template: '%s — Learning Observer' },
  description: 'See the writing while it happens.',
  manifest: '/manifest.webmanifest',
  icons: { icon: '/icon.svg' },
  referrer: 'same-origin',
};

export const viewport: Viewport = {
  width: 'device-width',
  initialScale: 1,
  themeColor: [
    { media: '(prefers-color-scheme: light)', color: '#f7f6f3' },
    { media: '(prefers-color-scheme: dark)', color: '#121316' },
  ],
};

export default function RootLayout({ children }: { readonly children: ReactNode }) {
  return (
    <html lang="en">
      <body>
        <a className="lo-skip" href="#content">
          Skip to the content
        </a>
        {children}
      </body>
    </html>
  );
}
