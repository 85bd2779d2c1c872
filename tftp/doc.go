// Package tftp serves files over TFTP (RFC 1350, 2347, 2348, 2349), read-only,
// to machines that fetch their network boot program.
//
// It is pin/tftp behind a front that reads each packet first: names are made
// plain or refused, writes are refused, retransmitted requests start nothing
// twice, and the number of transfers is bounded. Kernels and images are
// fetched by HTTP; this is for files of a megabyte or so.
//
// It imports nothing of ours and decides nothing: what a name means is the
// file system's business, or that of Server.Open.
package tftp
