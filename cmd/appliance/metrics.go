package main

import (
	"net/http"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"appliance/dhcp"
	"appliance/images"
	"appliance/pool"
	"appliance/tftp"
)

// metrics counts what machines boot by, for Prometheus.
type metrics struct {
	registry  *prometheus.Registry
	events    *prometheus.CounterVec   // by stage and code
	stages    *prometheus.HistogramVec // seconds since the stage before
	transfers *prometheus.HistogramVec // seconds, by protocol and stage
	bytes     *prometheus.CounterVec   // by protocol and stage
	resent    prometheus.Counter

	mu   sync.Mutex
	last map[pool.MAC]time.Time
}

const maxTimed = 1 << 16 // MACs whose last stage is remembered

func newMetrics() *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		events: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "appliance_boot_events_total",
			Help: "What was seen of machines that boot, by stage; code is empty when nothing was wrong."}, []string{"stage", "code"}),
		stages: prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "appliance_boot_stage_seconds",
			Help: "Time from the stage before to this one, of one machine.", Buckets: []float64{.01, .05, .1, .5, 1, 2, 5, 10, 20, 40, 80, 160, 320, 640}}, []string{"stage"}),
		transfers: prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "appliance_boot_transfer_seconds",
			Help: "How long transfers of boot files took.", Buckets: []float64{.001, .005, .01, .05, .1, .5, 1, 5, 10, 30, 60, 120}}, []string{"protocol", "stage"}),
		bytes: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "appliance_boot_transfer_bytes_total",
			Help: "Bytes of boot files that machines acknowledged."}, []string{"protocol", "stage"}),
		resent: prometheus.NewCounter(prometheus.CounterOpts{Name: "appliance_tftp_resent_blocks_total", Help: "TFTP blocks that were sent again."}),
		last:   map[pool.MAC]time.Time{},
	}
	m.registry.MustRegister(m.events, m.stages, m.transfers, m.bytes, m.resent,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// handler answers GET /metrics.
func (m *metrics) handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
}

// see counts a boot event.
func (m *metrics) see(e pool.BootEvent) {
	stage := string(e.Stage)
	m.events.WithLabelValues(stage, string(e.Code)).Inc()
	if e.Bytes > 0 {
		protocol := "http"
		if e.Block > 0 {
			protocol = "tftp"
		}
		m.bytes.WithLabelValues(protocol, stage).Add(float64(e.Bytes))
		m.transfers.WithLabelValues(protocol, stage).Observe(e.Took.Seconds())
	}
	if e.Resent > 0 {
		m.resent.Add(float64(e.Resent))
	}
	if e.MAC.IsZero() {
		return
	}
	m.mu.Lock()
	before, timed := m.last[e.MAC]
	if len(m.last) >= maxTimed {
		clear(m.last)
	}
	m.last[e.MAC] = e.At
	m.mu.Unlock()
	if took := e.At.Sub(before); timed && took >= 0 && took < 15*time.Minute && e.Stage != pool.StagePower && e.Stage != pool.StageDiscover {
		m.stages.WithLabelValues(stage).Observe(took.Seconds())
	}
}

// watch adds what the servers count themselves.
func (m *metrics) watch(d *dhcp.Server, t *tftp.Server, b *images.Boot, paths *images.Paths) {
	counter := func(name, help, label, value string, get func() uint64) {
		m.registry.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{Name: name, Help: help, ConstLabels: prometheus.Labels{label: value}},
			func() float64 { return float64(get()) }))
	}
	gauge := func(name, help string, get func() int) {
		m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, func() float64 { return float64(get()) }))
	}
	const messages = "DHCP messages, by what became of them."
	for kind, get := range map[string]func(dhcp.Stats) uint64{
		"received": func(s dhcp.Stats) uint64 { return s.Received }, "malformed": func(s dhcp.Stats) uint64 { return s.Malformed },
		"ignored": func(s dhcp.Stats) uint64 { return s.Ignored }, "offer": func(s dhcp.Stats) uint64 { return s.Offers },
		"ack": func(s dhcp.Stats) uint64 { return s.Acks }, "nak": func(s dhcp.Stats) uint64 { return s.Naks },
		"decline": func(s dhcp.Stats) uint64 { return s.Declines }, "conflict": func(s dhcp.Stats) uint64 { return s.Conflicts },
		"exhausted": func(s dhcp.Stats) uint64 { return s.Exhausted }, "foreign": func(s dhcp.Stats) uint64 { return s.Foreign },
		"failed": func(s dhcp.Stats) uint64 { return s.Failed }, "unsent": func(s dhcp.Stats) uint64 { return s.Unsent },
	} {
		counter("appliance_dhcp_messages_total", messages, "kind", kind, func() uint64 { return get(d.Stats()) })
	}
	const requests = "TFTP requests that started no transfer, by why."
	for kind, get := range map[string]func(tftp.Stats) uint64{
		"malformed": func(s tftp.Stats) uint64 { return s.Malformed }, "refused": func(s tftp.Stats) uint64 { return s.Refused },
		"dropped": func(s tftp.Stats) uint64 { return s.Dropped }, "repeated": func(s tftp.Stats) uint64 { return s.Repeated },
	} {
		counter("appliance_tftp_requests_total", requests, "kind", kind, func() uint64 { return get(t.Stats()) })
	}
	gauge("appliance_tftp_transfers", "TFTP transfers under way.", func() int { return int(t.Stats().Active) })
	gauge("appliance_http_downloads", "Big downloads that have their turn.", func() int { _, in := b.Gate.Waiting(); return in })
	gauge("appliance_http_downloads_waiting", "Big downloads that wait for their turn.", func() int { line, _ := b.Gate.Waiting(); return line })
	gauge("appliance_boot_models", "Models whose way of booting was learned.", func() int { return len(paths.Models()) })
}
