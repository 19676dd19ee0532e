import { useSources } from '../../api/queries.ts';
import { Code } from '../../ui/code.tsx';
import { createSourceCommand, triggerCommand } from '../../ui/commands.ts';
import { Empty } from '../../ui/states.tsx';

/** What to run next; gives way by itself to the first row. */
export function FirstSteps() {
  const { data: sources } = useSources();
  const source = sources?.[0];
  if (source !== undefined) {
    return (
      <Empty icon="signal" title="Waiting for the first event…">
        <p>
          Point {source.provider} at this address, or send one as {source.provider} would:
        </p>
        <Code label="Address" text={location.origin + source.ingestPath} />
        <Code label="Terminal" text={triggerCommand(source.provider, source.id)} />
      </Empty>
    );
  }
  return (
    <Empty icon="signal" title="No payments yet">
      <p>Create a source for a payment provider, then send its first webhook. It shows here at once.</p>
      <Code label="1. Create a source" text={createSourceCommand(location.origin)} />
      <Code label="2. Send a webhook as the provider would" text={triggerCommand('serixpay', null)} />
    </Empty>
  );
}
