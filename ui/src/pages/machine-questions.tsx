// The questions before a machine is let in, released or switched.
import { useId, useState } from "react";
import { accept, power, release, useAction } from "../api/actions";
import type { Disk, Machine } from "../api/types";
import { Dialog } from "../parts/dialog";
import { diskSize } from "../parts/format";

interface Props {
  machine: Machine;
  onClose: () => void;
}

/** holding lists the disks that hold something nobody has wiped. */
function holding(m: Machine): Disk[] {
  const unwiped = m.unwiped ?? [];
  return (m.facts?.disks ?? []).filter((d) => (d.content ?? []).length > 0 && !d.readOnly && !d.removable && (unwiped.length === 0 || unwiped.includes(d.serial)));
}

function DiskList({ disks }: { disks: Disk[] }) {
  return (
    <ul className="disks-held">
      {disks.map((d) => (
        <li key={d.serial || d.name}>
          <code>{d.serial || d.name}</code>
          <span>
            {diskSize(d.size)} {d.type} <span className="dim">({d.name}{d.model ? `, ${d.model}` : ""})</span>
          </span>
          <span className="content">{(d.content ?? []).join(", ") || "nothing was recognised on it"}</span>
        </li>
      ))}
    </ul>
  );
}

export function AcceptDialog({ machine: m, onClose }: Props) {
  const held = holding(m);
  const [name, setName] = useState(m.name);
  const [erase, setErase] = useState(false);
  const run = useAction(
    () =>
      accept(m.id, {
        ...(name !== m.name ? { name } : {}),
        ...(erase ? { erase: true, serials: held.map((d) => d.serial) } : {}),
      }),
    onClose,
  );
  const box = useId();
  return (
    <Dialog
      title={`Accept ${m.name}`}
      verb={erase ? "Accept and erase" : "Accept"}
      danger={erase}
      typed={erase ? m.name : undefined}
      busy={run.isPending}
      error={run.error}
      failed={`${m.name} was not accepted.`}
      onClose={onClose}
      onConfirm={() => run.mutate(undefined)}
    >
      <p>It is let in, inspected, and gets a BMC user of the appliance's own. Then it waits in the pool.</p>
      <label className="field">
        <span>Name</span>
        <input value={name} onChange={(e) => setName(e.target.value)} maxLength={63} required autoComplete="off" spellCheck={false} />
      </label>
      {!m.facts ? (
        <p className="notice warn">Its inventory has not come yet, so nobody knows what its disks hold. They stay protected until you have seen them.</p>
      ) : held.length === 0 ? (
        <p className="dim">Nothing was recognised on its disks: they are wiped before it enters the pool.</p>
      ) : (
        <>
          <p>
            {held.length === 1 ? "This disk holds" : `These ${held.length} disks hold`} something:
          </p>
          <DiskList disks={held} />
          <label className="check" htmlFor={box}>
            <input id={box} type="checkbox" checked={erase} onChange={(e) => setErase(e.target.checked)} />
            <span>
              Erase {held.length === 1 ? "it" : "them"}. Without this the machine is let in, its disks stay protected, and it does not enter the pool.
            </span>
          </label>
        </>
      )}
    </Dialog>
  );
}

export function ReleaseDialog({ machine: m, onClose }: Props) {
  const lifts = m.phase === "enrolled"; // else it is taken from its owner
  const disks = (m.facts?.disks ?? []).filter((d) => !d.readOnly && !d.removable && (m.unwiped ?? []).includes(d.serial));
  const [wipe, setWipe] = useState(lifts);
  const run = useAction(() => release(m.id, wipe ? { wipe: true, serials: disks.map((d) => d.serial), confirm: m.name } : {}), onClose);
  const box = useId();
  return (
    <Dialog
      title={`Release ${m.name}`}
      verb={wipe ? "Release and erase" : "Release"}
      danger={wipe}
      typed={wipe ? m.name : undefined}
      busy={run.isPending}
      error={run.error}
      failed={`${m.name} was not released.`}
      onClose={onClose}
      onConfirm={() => run.mutate(undefined)}
    >
      {lifts ? (
        <p>The protection of its disks is lifted, they are erased, and the machine goes on into the pool. This destroys what they hold:</p>
      ) : (
        <>
          <p>
            It is taken from {m.service ? `service ${m.service}` : "its owner"} and goes back towards the pool. Its disks:
          </p>
        </>
      )}
      {disks.length > 0 ? <DiskList disks={disks} /> : <p className="dim">No disk that was written since its last wipe is known.</p>}
      {!lifts && (
        <label className="check" htmlFor={box}>
          <input id={box} type="checkbox" checked={wipe} onChange={(e) => setWipe(e.target.checked)} />
          <span>Erase them at once. Without this they stay protected until somebody allows it.</span>
        </label>
      )}
    </Dialog>
  );
}

type Action = "on" | "off" | "soft" | "cycle";

const asks: Record<Action, { title: string; verb: string; says: string; done: string; danger: boolean }> = {
  on: { title: "Switch on", verb: "Power on", says: "Its BMC switches it on; it boots what its phase asks for.", done: "It is being switched on.", danger: false },
  soft: { title: "Shut down", verb: "Shut down", says: "Its system is asked to shut down; nothing is cut off.", done: "Its system is asked to shut down.", danger: false },
  off: { title: "Switch off", verb: "Power off", says: "Its BMC cuts the power at once: what was not written to a disk is lost.", done: "It is being switched off.", danger: true },
  cycle: { title: "Power cycle", verb: "Power cycle", says: "Its BMC cuts the power and switches it on again: what was not written to a disk is lost.", done: "It is being switched off and on.", danger: true },
};

export function PowerDialog({ machine: m, action, onClose, onDone }: Props & { action: Action; onDone: (text: string) => void }) {
  const a = asks[action];
  const run = useAction(
    () => power(m.id, { action }),
    () => {
      onDone(a.done);
      onClose();
    },
  );
  return (
    <Dialog
      title={`${a.title}: ${m.name}`}
      verb={a.verb}
      danger={a.danger}
      typed={a.danger && m.service ? m.name : undefined}
      busy={run.isPending}
      error={run.error}
      failed={`${m.name} was not switched.`}
      onClose={onClose}
      onConfirm={() => run.mutate(undefined)}
    >
      <p>{a.says}</p>
      {m.service && action !== "on" && (
        <p className="notice warn">
          It runs service <b>{m.service}</b>, which is interrupted.
        </p>
      )}
      {(!m.bmc || m.conditions?.bmc?.value === "none") && <p className="notice warn">It has no BMC that the appliance knows: a person at the machine is asked to do it.</p>}
    </Dialog>
  );
}
