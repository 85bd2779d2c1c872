import { Head } from "../parts/shell";
import { phases, phaseWord } from "../parts/words";

const strokes = [
  ["/", "Filter what the page lists; elsewhere: find a machine"],
  ["j  k", "Next, previous row"],
  ["Enter", "Open the row"],
  ["g  o", "Go to the overview; g m machines, g s services, g a applications, g c catalogue, g n network, g e events"],
  ["Esc", "Close a question without doing anything"],
  ["?", "This page"],
];

export function Help() {
  return (
    <>
      <Head title="Help" />
      <div className="prose">
        <section>
          <h2>How a machine comes in</h2>
          <ol>
            <li>It is switched on and boots from the network: it appears as <em>discovered</em>, with its inventory. Nothing is written to it.</li>
            <li>You accept it (or a rule does). If its disks hold something, they stay protected until you allow by name that they are erased.</li>
            <li>It is inspected and wiped, and waits in the pool as <em>ready</em>.</li>
            <li>A recipe from the catalogue takes it, installs its service and keeps it running: <em>active</em>.</li>
          </ol>
        </section>
        <section>
          <h2>Phases</h2>
          <dl className="pairs">
            {phases.map((p) => (
              <div key={p}>
                <dt>
                  <span className={`key tone-${phaseWord(p).tone}`}>{phaseWord(p).letter}</span> {p}
                </dt>
                <dd>{phaseWord(p).means}</dd>
              </div>
            ))}
          </dl>
          <p>
            Beside the letter: <b>›</b> something runs, <b>?</b> a person is needed, <b>!</b> something is wrong.
          </p>
        </section>
        <section>
          <h2>Keyboard</h2>
          <dl className="pairs">
            {strokes.map(([k, what]) => (
              <div key={k}>
                <dt>
                  <kbd>{k}</kbd>
                </dt>
                <dd>{what}</dd>
              </div>
            ))}
          </dl>
        </section>
        <section>
          <h2>The same from a terminal</h2>
          <p>Everything here is a call of the API, which is described at <a href="/openapi.yaml">/openapi.yaml</a>. From a terminal:</p>
          <pre>{"appliance machine list\nappliance machine accept NAME\nappliance boot show NAME\nappliance deploy mysql\nappliance event tail"}</pre>
        </section>
      </div>
    </>
  );
}
