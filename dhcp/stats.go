package dhcp

import "sync/atomic"

// Stats counts what a Server did since it was made.
type Stats struct {
	Received  uint64 // packets
	Malformed uint64 // dropped: garbage, truncated, not a client's message
	Ignored   uint64 // not for us: another server's, an unserved subnet, nobody we answer
	Offers    uint64
	Acks      uint64
	Naks      uint64
	Declines  uint64
	Conflicts uint64 // fresh addresses that somebody used already
	Exhausted uint64 // requests that found no free address
	Foreign   uint64 // requests left alone because of another DHCP server
	Failed    uint64 // requests that an error left without answer
	Unsent    uint64 // replies that the network did not take
	Releases  uint64
	Proxied   uint64 // answers beside another DHCP server
	Dropped   uint64 // requests that came faster than they could be answered
}

type counters struct {
	received, malformed, ignored, offers, acks, naks, declines, conflicts, exhausted, foreign, failed, unsent, releases, proxied, dropped atomic.Uint64
}

// Stats returns the counters as they are now.
func (s *Server) Stats() Stats {
	c := &s.stats
	return Stats{
		Received: c.received.Load(), Malformed: c.malformed.Load(), Ignored: c.ignored.Load(),
		Offers: c.offers.Load(), Acks: c.acks.Load(), Naks: c.naks.Load(),
		Declines: c.declines.Load(), Conflicts: c.conflicts.Load(), Exhausted: c.exhausted.Load(),
		Foreign: c.foreign.Load(), Failed: c.failed.Load(), Unsent: c.unsent.Load(),
		Releases: c.releases.Load(), Proxied: c.proxied.Load(), Dropped: c.dropped.Load(),
	}
}
