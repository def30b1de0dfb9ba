/** The people whom the server knows: all of them, one of them, and who is in a picture. */
import { PersonList } from '../people/person-list.tsx';
import { PersonPage } from '../people/person-page.tsx';
import { WhoIsThis } from '../people/who-is-this.tsx';
import type { ViewProps } from '../views.ts';

export default function People({ rest: [what, name] }: ViewProps) {
  if (what === 'who-is-this') return <WhoIsThis />;
  if (what === 'of' && name !== undefined) return <PersonPage key={name} name={name} />;
  return <PersonList />;
}
