package main

import (
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"appliance/dhcp"
	"appliance/images"
	"appliance/pool"
	"appliance/tftp"
)

func TestMetrics(t *testing.T) {
	m := newMetrics()
	m.watch(&dhcp.Server{}, &tftp.Server{}, &images.Boot{}, &images.Paths{})
	mac := pool.MAC{2, 0, 0, 0, 0, 1}
	start := time.Now()
	for i, e := range []pool.BootEvent{
		{Stage: pool.StageDiscover}, {Stage: pool.StageLease},
		{Stage: pool.StageNBP, Bytes: 284672, Block: 1468, Resent: 3, Took: time.Second},
		{Stage: pool.StageKernel, Bytes: 8000000, Took: time.Second},
		{Stage: pool.StageError, Code: pool.CodeTimeout, Failed: true},
	} {
		e.MAC, e.At = mac, start.Add(time.Duration(i)*time.Second)
		m.see(e)
	}
	w := httptest.NewRecorder()
	m.handler().ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), "GET", "/metrics", nil))
	for _, want := range []string{
		`appliance_boot_events_total{code="",stage="dhcp.discover"} 1`,
		`appliance_boot_events_total{code="timeout",stage="boot.error"} 1`,
		`appliance_boot_transfer_bytes_total{protocol="tftp",stage="tftp.nbp"} 284672`,
		`appliance_boot_transfer_bytes_total{protocol="http",stage="http.kernel"} 8e+06`,
		`appliance_boot_stage_seconds_sum{stage="dhcp.ack"} 1`,
		`appliance_tftp_resent_blocks_total 3`,
		`appliance_dhcp_messages_total{kind="ack"} 0`,
		`appliance_tftp_requests_total{kind="repeated"} 0`,
		`appliance_http_downloads_waiting 0`,
		`go_goroutines`,
	} {
		if !strings.Contains(w.Body.String(), want) {
			t.Errorf("no %s in:\n%s", want, w.Body)
		}
	}
}
