package recipes

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"
)

// try runs the lifecycle of a recipe and returns the events that ended.
func try(t *testing.T, ctx context.Context, watch time.Duration, descriptor string, files ...string) ([]TrialStep, string, error) {
	t.Helper()
	r, err := Load(folderOf(descriptor, files...), Options{})
	if err != nil {
		t.Fatal(err)
	}
	var steps []TrialStep
	var out bytes.Buffer
	trial := Trial{Recipe: r, Dir: t.TempDir(), Watch: watch, Out: &out, Tell: func(s TrialStep) { steps = append(steps, s) }}
	err = trial.Run(ctx)
	return steps, out.String(), err
}

func names(steps []TrialStep) (out []string) {
	for _, s := range steps {
		out = append(out, s.Event)
	}
	return out
}

// TestTrial: all events in their order, with a real process that is found,
// watched and ended.
func TestTrial(t *testing.T) {
	mark := filepath.Join(t.TempDir(), "up")
	steps, out, err := try(t, t.Context(), 2500*time.Millisecond, service(`lifecycle {
	init { println "in ${context.serviceDirectory}" }
	install "install.sh"
	start "run.sh `+mark+`"
	startDetection { new File("`+mark+`").exists() }
	stopDetection { !new File("`+mark+`").exists() }
	postStart { context.attributes.thisInstance.up = "yes" }
	monitors { ["up": context.attributes.thisInstance.up] }
	preStop "echo stopping"
	shutdown { new File("`+mark+`").delete() }
}`), "install.sh", "echo installed", "run.sh", "touch $1; sleep 600")
	if err != nil {
		t.Fatalf("Run = %v\n%s", err, out)
	}
	if got, want := names(steps), []string{"init", "install", "start", "startDetection", "postStart", "monitors", "preStop", "shutdown"}; !slices.Equal(got, want) {
		t.Errorf("events = %v, want %v", got, want)
	}
	for _, want := range []string{"/gigaspaces/", "installed", "stopping"} {
		if !strings.Contains(out, want) {
			t.Errorf("output lacks %q: %s", want, out)
		}
	}
	if m, _ := steps[5].Value.(map[string]any); m["up"] != "yes" {
		t.Errorf("monitors = %v", steps[5].Value)
	}
}

// TestTrialGroovyStart: a Groovy start script runs beside the detection.
func TestTrialGroovyStart(t *testing.T) {
	mark := filepath.Join(t.TempDir(), "up")
	_, _, err := try(t, t.Context(), time.Millisecond, service(`lifecycle {
	start "run.groovy"
	startDetection { new File("`+mark+`").exists() }
}`), "run.groovy", `new File("`+mark+`").write("x"); while (true) { sleep 50 }`)
	if err != nil {
		t.Fatal(err)
	}
}

// TestTrialFails: what goes wrong is told, and the service is taken down.
func TestTrialFails(t *testing.T) {
	for _, tt := range []struct{ name, life, want string }{
		{"install", "install \"exit 3\"", "abnormal status code: 3"},
		{"exits", "start \"exit 4\"\nstartDetection { false }", "The launched process exited with the error exit code 4"},
		{"never", "start \"sleep 60\"\nstartDetection { false }\nstartDetectionTimeoutSecs 1", "The Start Detection test failed in the defined time period: 1 seconds."},
		{"stops", "start \"sleep 60\"\nstopDetection { true }", "stopDetection says that it has stopped"},
		{"time", "install \"sleep 60\"\neventTimeoutSecs([install: 1])", "deadline exceeded"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			steps, out, err := try(t, t.Context(), 3*time.Second, service("lifecycle {\n"+tt.life+"\nshutdown \"true\"\n}"))
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("Run = %v, want %q\n%s", err, tt.want, out)
			}
			if !slices.Contains(names(steps), "shutdown") {
				t.Errorf("events = %v: it was not taken down", names(steps))
			}
		})
	}
}

// TestTrialEnds: Ctrl-C takes the service down.
func TestTrialEnds(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(300*time.Millisecond, cancel)
	start := time.Now()
	steps, _, _ := try(t, ctx, time.Minute, service("lifecycle {\nstart \"sleep 600\"\nshutdown \"true\"\n}"))
	if time.Since(start) > 30*time.Second || !slices.Contains(names(steps), "shutdown") {
		t.Errorf("events = %v after %s", names(steps), time.Since(start))
	}
}

// TestTrialOfApplication is refused with what to do.
func TestTrialOfApplication(t *testing.T) {
	r, err := Load(fstest.MapFS{"a-application.groovy": {Data: []byte("application { name \"a\" }")}}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	trial := Trial{Recipe: r, Dir: t.TempDir(), Out: os.Stderr}
	if err := trial.Run(t.Context()); err == nil || !strings.Contains(err.Error(), "one by one") {
		t.Errorf("Run = %v", err)
	}
}
