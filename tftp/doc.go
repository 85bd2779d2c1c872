// Package tftp serves files over TFTP, read-only, to machines that fetch
// their network boot program: RFC 1350, options (2347), block size (2348),
// timeout and transfer size (2349) and windows (7440).
//
// One engine serves lock-step and windowed transfers from memory. Where the
// kernel has UDP_SEGMENT a window leaves in one system call. Blocks never
// leave as IP fragments: boot ROMs do not reassemble them. Each transfer has
// a port of its own, or all share the server's where a firewall needs that.
//
// It imports nothing of ours and decides nothing: what a name means is the
// file system's business, or that of Server.Open. It never writes a file.
package tftp
