package rack

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"appliance/api/wire"
)

// screen shows lines that are redrawn in place on a terminal. Elsewhere it
// prints a line when it says something new.
type screen struct {
	w     io.Writer
	tty   bool
	width int
	began time.Time
	live  []string          // drawn last, on a terminal
	said  map[string]string // by key, elsewhere
}

// line is one line of a screen. Clock is what passes by itself: a change of
// it alone is not news.
type line struct{ key, clock, text string }

func newScreen(w io.Writer, tty bool, width int) *screen {
	if width < 40 {
		width = 100
	}
	return &screen{w: w, tty: tty, width: width, began: time.Now(), said: map[string]string{}}
}

// note prints a line that stays.
func (s *screen) note(format string, args ...any) {
	s.erase()
	fmt.Fprintf(s.w, "%5s  %s\n", round(time.Since(s.began)), fmt.Sprintf(format, args...)) //nolint:errcheck // a screen
	s.paint()
}

// draw shows lines in place of those drawn before.
func (s *screen) draw(lines []line) {
	if !s.tty {
		for _, l := range lines {
			if s.said[l.key] != l.text {
				s.said[l.key] = l.text
				fmt.Fprintf(s.w, "%5s  %s %s\n", round(time.Since(s.began)), l.key, l.text) //nolint:errcheck // a screen
			}
		}
		return
	}
	next := make([]string, len(lines))
	for i, l := range lines {
		next[i] = cut(fmt.Sprintf("%5s  %s %s", l.clock, l.key, l.text), s.width)
	}
	s.erase()
	s.live = next
	s.paint()
}

// erase moves up over the live lines and clears to the end (ECMA-48 CUU, ED).
func (s *screen) erase() {
	if len(s.live) > 0 {
		fmt.Fprintf(s.w, "\x1b[%dA\r\x1b[J", len(s.live)) //nolint:errcheck // a screen
	}
}

func (s *screen) paint() {
	for _, l := range s.live {
		fmt.Fprintln(s.w, l) //nolint:errcheck // a screen
	}
}

// cut keeps a line within the terminal, where a wrapped one would spoil the
// count of lines. What a machine said may not steer the terminal.
func cut(s string, width int) string {
	r := []rune(strings.Map(func(r rune) rune {
		if r < ' ' || r >= 0x7f && r < 0xa0 {
			return -1
		}
		return r
	}, s))
	if len(r) >= width {
		r = append(r[:width-2], '…')
	}
	return string(r)
}

func round(d time.Duration) string { return d.Round(time.Second).String() }

// draw shows a line for each machine and, with one, for the service.
func (d *Demo) draw(service *wire.Service) {
	var lines []line
	for i, m := range d.rack.Machines {
		l := line{key: fmt.Sprintf("%s %s", m.Spec.Name, m.Spec.Firmware), text: machineText(d.seen[i])}
		if !d.seen[i].on.IsZero() {
			l.clock = round(time.Since(d.seen[i].on))
		}
		lines = append(lines, l)
	}
	if service != nil {
		lines = append(lines, line{key: "service " + service.Name, clock: round(time.Since(d.screen.began)), text: serviceText(*service)})
	}
	d.screen.draw(lines)
}

// machineText says what a machine does: phase, operation, step, progress.
func machineText(s sighting) string {
	w := s.machine
	switch {
	case s.on.IsZero():
		return "off"
	case w.ID == "":
		return "powered on, not seen yet"
	}
	text := fmt.Sprintf("%-10s", w.Phase)
	if op := w.Operation; op != nil && op.Status.Open() {
		text += " " + string(op.Kind)
		if op.Step != "" {
			text += ": " + op.Step
		}
		if op.Waiting != "" {
			text += " (waits for " + string(op.Waiting) + ")"
		}
	} else if w.Sentence != "" {
		text += " " + w.Sentence
	}
	if p := w.Live.Progress; p != nil && p.Percent() >= 0 {
		text += fmt.Sprintf(" %d %%", p.Percent()/10*10)
	}
	return text
}

func serviceText(s wire.Service) string {
	text := fmt.Sprintf("%-10s", s.Phase)
	for _, in := range s.Running {
		text += fmt.Sprintf(" instance %d %s %s", in.Number, in.Phase, in.Step)
	}
	return text
}

// tell prints the end of a demo that went well.
func (d *Demo) tell(said answerSQL, endpoint string) {
	d.screen.erase()
	d.screen.live = nil
	t := tabwriter.NewWriter(d.Out, 0, 8, 2, ' ', 0)
	row := func(format string, args ...any) { fmt.Fprintf(t, format+"\n", args...) } //nolint:errcheck // a screen
	row("")
	row("SELECT VERSION()\t%s", said.version)
	row("row read back\t%s", said.row)
	row("endpoint\t%s (inside the rack)", endpoint)
	if d.Console != nil {
		row("console\thttps://%s  log in with the token in %s", d.ConsoleAddr, d.app.tokenFile())
	}
	row("")
	row("machine\tfirmware\tpower-on to inventory\tto ready")
	for i, m := range d.rack.Machines {
		row("%s\t%s\t%s\t%s", m.Spec.Name, m.Spec.Firmware, tenth(d.seen[i].inventory), tenth(d.seen[i].ready))
	}
	row("deploy %s\t%s\tfirst query\t%s", serviceName, tenth(d.deploy), tenth(d.query))
	row("all of it\t%s", tenth(time.Since(d.began)))
	_ = t.Flush()
	if !d.Exit {
		fmt.Fprintln(d.Out, "\nThe rack stays up until Ctrl-C.") //nolint:errcheck // a screen
	}
}

func tenth(d time.Duration) string { return d.Round(100 * time.Millisecond).String() }
