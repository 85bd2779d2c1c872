package images

import (
	"slices"

	"appliance/pool"
)

// Candidates are the ways to boot a class of client, the likeliest first. A
// machine with Secure Boot says so to nobody: its firmware loads what is not
// signed and is silent. So the unsigned program, which fetches by HTTP, is
// tried first and the signed one after it.
func Candidates(class string) []pool.BootPath {
	const small, lockStep = 512, 1 // for paths that drop long packets, and cards that drop bursts
	switch class {
	case pool.ClassBIOS:
		return []pool.BootPath{
			{NBP: NBPBIOS, Files: pool.FilesHTTP},
			{NBP: NBPBIOS, Files: pool.FilesHTTP, Block: small, Window: lockStep},
			{NBP: NBPBIOS, Files: pool.FilesTFTP},
		}
	case pool.ClassEFIx64:
		return []pool.BootPath{
			{NBP: NBPUEFI, Files: pool.FilesHTTP},
			{NBP: NBPShim, Files: pool.FilesTFTP},
			{NBP: NBPIPXE, Files: pool.FilesHTTP},
			{NBP: NBPUEFI, Files: pool.FilesHTTP, Block: small, Window: lockStep},
			{NBP: NBPShim, Files: pool.FilesTFTP, Block: small, Window: lockStep},
			{NBP: NBPUEFI, Files: pool.FilesTFTP},
		}
	case pool.ClassEFIx64HTTP:
		// Not the signed chain: shim and GRUB load over HTTP, but Debian 12's
		// GRUB then finds no configuration and waits at its prompt for ever. An
		// unsigned program is refused at once, and the firmware goes on to PXE.
		return []pool.BootPath{
			{NBP: NBPUEFI, Files: pool.FilesHTTP},
			{NBP: NBPIPXE, Files: pool.FilesHTTP},
			{NBP: NBPUEFI, Files: pool.FilesHTTP, TLS: true},
			{NBP: NBPIPXE, Files: pool.FilesHTTP, TLS: true},
		}
	case pool.ClassEFIARM64:
		return []pool.BootPath{
			{NBP: NBPShimARM64, Files: pool.FilesTFTP},
			{NBP: NBPIPXEARM64, Files: pool.FilesHTTP},
			{NBP: NBPShimARM64, Files: pool.FilesTFTP, Block: small, Window: lockStep},
		}
	case pool.ClassEFIARM64HTTP:
		return []pool.BootPath{
			{NBP: NBPIPXEARM64, Files: pool.FilesHTTP},
			{NBP: NBPIPXEARM64, Files: pool.FilesHTTP, TLS: true},
		}
	}
	return nil
}

// ChoosePath says which way a client of a class is to boot, by what came of
// each on machines like it: what a person pinned; else what worked after it
// last failed; else the next that was not tried; else, when all have failed,
// the one that failed longest ago. Records come from the most like to the
// least: its model's, then those of cards by the same maker. A firmware that
// did not even fetch a program by HTTP may want HTTPS: that is tried next, and
// never where a program was fetched without it. Records of another class tell which unsigned programs such machines refuse: PXE and
// HTTP Boot are two clients of one firmware. It is pure.
func ChoosePath(class string, models ...pool.BootModel) pool.BootPath {
	all := Candidates(class)
	if len(all) == 0 {
		return pool.BootPath{}
	}
	var records []pool.PathRecord
	refused := map[string]bool{} // by the same machines as another class of client
	for _, m := range models {
		if m.Class != class {
			for _, r := range m.Paths {
				if r.Failed > 0 && r.Worked == 0 && !r.Unfetched && !signed(r.Path.NBP) {
					refused[r.Path.NBP] = true
				}
			}
			continue
		}
		for _, r := range m.Paths {
			if r.Pinned {
				return r.Path
			}
			if !slices.ContainsFunc(records, func(x pool.PathRecord) bool { return x.Path == r.Path }) {
				records = append(records, r)
			}
		}
	}
	best, found := pool.PathRecord{}, false
	for _, r := range records {
		if r.Worked > 0 && r.LastWorked.After(r.LastFailed) && (!found || r.LastWorked.After(best.LastWorked)) {
			best, found = r, true
		}
	}
	if found {
		return best.Path
	}
	wantsTLS := slices.ContainsFunc(records, func(r pool.PathRecord) bool { return !r.Path.TLS && r.Unfetched })
	failed := func(p pool.BootPath) bool {
		return slices.ContainsFunc(records, func(r pool.PathRecord) bool { return r.Path == p && r.Failed > 0 })
	}
	for _, p := range all {
		if !failed(p) && !refused[p.NBP] && p.TLS == wantsTLS {
			return p
		}
	}
	for _, p := range all {
		if !failed(p) && (wantsTLS || !p.TLS) {
			return p
		}
	}
	oldest := records[0]
	for _, r := range records {
		if r.LastFailed.Before(oldest.LastFailed) {
			oldest = r
		}
	}
	return oldest.Path
}
