import {
  ArrowUpDown,
  Check,
  ChevronRight,
  CircleDashed,
  CircleSlash,
  ClipboardPaste,
  Clock,
  Eye,
  EyeOff,
  Keyboard,
  type LucideIcon,
  Pause,
  PencilLine,
  Presentation,
  Puzzle,
  Search,
  Table2,
  Timer,
  TriangleAlert,
  Undo2,
  Users,
  WifiOff,
  X,
} from 'lucide-react';

const ICONS = {
  'arrow-up-down': ArrowUpDown,
  check: Check,
  'chevron-right': ChevronRight,
  'circle-dashed': CircleDashed,
  'circle-slash': CircleSlash,
  'clipboard-paste': ClipboardPaste,
  clock: Clock,
  eye: Eye,
  'eye-off': EyeOff,
  keyboard: Keyboard,
  pause: Pause,
  'pencil-line': PencilLine,
  presentation: Presentation,
  puzzle: Puzzle,
  search: Search,
  'table-2': Table2,
  timer: Timer,
  'triangle-alert': TriangleAlert,
  'undo-2': Undo2,
  users: Users,
  'wifi-off': WifiOff,
  x: X,
} satisfies Record<string, LucideIcon>;

export type IconName = keyof typeof ICONS;

/**
 * Named in the plural: Next takes a file `icon.*` anywhere below `app` for a route.
 *
 * A Lucide icon, hidden from readers: the word beside it says the same. `size` in px, 14 beside text, 16 in notices.
 */
export function Icon({ name, size = 14 }: { readonly name: IconName; readonly size?: number }) {
  const Drawn = ICONS[name];
  return <Drawn size={size} strokeWidth={2} aria-hidden="true" />;
}
