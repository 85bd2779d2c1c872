package ant

import (
	"slices"
	"strings"
)

// shape is what a task or an element takes: attributes and nested elements,
// separated by blanks. An attribute with a value (a|b) is taken with that one
// alone: it says what is so anyway. What Ant has beyond is refused: a selector
// that was passed over would delete the wrong files.
type shape struct{ attrs, kids string }

const (
	always   = "id description taskname"
	matching = " includes excludes defaultexcludes followsymlinks casesensitive"
	sets     = " fileset dirset include exclude patternset"
	process  = " dir spawn inputstring input timeout failonerror failifexecutionfails resultproperty outputproperty output append" +
		" osfamily os newenvironment vmlauncher logerror error errorproperty"
	unpacked = "src dest overwrite encoding failonemptyarchive stripabsolutepathspec scanforunicodeextrafields"
	packed   = "destfile zipfile basedir encoding compress level filesonly whenempty=skip|create|fail roundup keepcompression" + matching
)

// shapes are those of what runs, and of the elements in it.
func shapes() map[string]shape {
	set := shape{"dir file erroronmissingdir" + matching, "include exclude patternset"}
	inArchive := shape{set.attrs + " prefix fullpath filemode dirmode", set.kids}
	tarred := shape{inArchive.attrs + " mode", set.kids} // mode is another name of filemode
	unzip := shape{unpacked, "patternset fileset"}
	zip := shape{packed + " update duplicate=add|preserve|fail", "zipfileset tarfileset" + sets}
	pattern := shape{"name if unless", ""}
	written := shape{"", ""}
	copied := shape{"file todir tofile flatten overwrite preservelastmodified failonerror verbose force granularity encoding outputencoding quiet" +
		" includeemptydirs enablemultiplemappings filtering=no", "fileset dirset zipfileset tarfileset filterset"}
	return map[string]shape{
		"java": {"jvm jar classname classpath args fork maxmemory clonevm jvmversion" + process, "arg env jvmarg sysproperty classpath assertions"},
		"apply": {"executable skipemptyfilesets verbose forwardslash resolveexecutable=no searchpath addsourcefile=yes relative=no parallel=no" + process,
			"arg env fileset dirset"},
		"exec":  {"executable command searchpath resolveexecutable" + process, "arg env"},
		"echo":  {"message file append level encoding force", ""},
		"mkdir": {"dir", ""},
		"chmod": {"perm file dir type osfamily os parallel maxparallel verbose failonerror" + matching, sets},
		"copy":  copied, "move": copied,
		"delete":  {"file dir quiet failonerror includeemptydirs verbose removenotfollowedsymlinks performgcondelete deleteonexit=no" + matching, "fileset include exclude patternset"},
		"touch":   {"file mkdirs verbose millis datetime", "fileset dirset"},
		"symlink": {"link resource overwrite failonerror action=single|delete", ""},
		"get":     {"src dest skipexisting ignoreerrors verbose quiet usetimestamp retries maxtime httpusecaches trygzipencoding useragent", ""},
		"unzip":   unzip, "unjar": unzip, "unwar": unzip,
		"untar":  {unpacked + " compression", unzip.kids},
		"gunzip": {"src dest", ""},
		"zip":    zip, "jar": zip,
		"tar":           {packed + " update=no longfile compression=gzip|none", zip.kids},
		"gzip":          {"src destfile zipfile", ""},
		"fixcrlf":       {"file srcdir eol encoding outputencoding preservelastmodified fixlast javafiles tab=asis eof=asis|remove" + matching, sets},
		"replace":       {"file dir token value summary encoding preservelastmodified failonnoreplacements" + matching, "replacetoken replacevalue replacefilter" + sets},
		"replaceregexp": {"file dir match replace flags byline encoding preservelastmodified" + matching, "regexp substitution" + sets},
		"concat":        {"destfile append force=yes overwrite=yes encoding outputencoding binary ignoreempty=yes fixlastline", "fileset"},
		"loadfile":      {"srcfile property encoding failonerror quiet", ""},
		"property":      {"name value location environment file prefix prefixvalues=no", ""},
		"available":     {"file filepath property value type", ""},
		"fail":          {"message if unless status", "condition"},
		"sleep":         {"hours minutes seconds milliseconds failonerror", ""},
		"checksum":      {"file property verifyproperty algorithm fileext forceoverwrite readbuffersize", ""},
		"fileScanner":   {"", "fileset dirset"},
		"tempfile":      {"property destdir prefix suffix createfile deleteonexit=no", ""},
		"waitfor":       {"maxwait maxwaitunit checkevery checkeveryunit timeoutproperty timeoutvalue=true", conditions},
		"condition":     {"property value else", conditions},

		"and": {"", conditions}, "or": {"", conditions}, "xor": {"", conditions}, "not": {"", conditions},
		"isset": {"property", ""}, "istrue": {"value", ""}, "isfalse": {"value", ""}, "equals": {"arg1 arg2 casesensitive trim", ""},
		"contains": {"string substring casesensitive", ""}, "os": {"family name", ""}, "socket": {"server port", ""},
		"http": {"url errorsbeginat requestmethod=get", ""},

		"arg": {"value line file path", ""}, "env": {"key value path file", ""},
		"jvmarg": {"value line", ""}, "sysproperty": {"key value file", ""}, "assertions": {"*", "*"},
		"classpath": {"path location", "pathelement"}, "pathelement": {"path location", ""},
		"fileset": set, "dirset": set, "zipfileset": inArchive, "tarfileset": tarred,
		"patternset": {"includes excludes", "include exclude patternset"}, "include": pattern, "exclude": pattern,
		"filterset": {"begintoken endtoken recurse filtersfile", "filter"}, "filter": {"token value", ""},
		"replacetoken": written, "replacevalue": written, "replacefilter": {"token value", ""},
		"regexp": {"pattern", ""}, "substitution": {"expression", ""},
	}
}

// check refuses what a task, and what is nested in it, does not take.
func (n *node) check(all map[string]shape) error {
	s, ok := all[n.name]
	if !ok {
		return nil // a container, a definition
	}
	if s.attrs != "*" {
		known := strings.Fields(always + " " + s.attrs)
		for id, v := range n.attrs {
			if !slices.ContainsFunc(known, func(k string) bool { return takes(k, id, v) }) {
				for _, k := range known {
					if only, ok := strings.CutPrefix(k, id+"="); ok {
						return fault("%s supports the %q attribute as %s only, not %q", n.name, id, strings.ReplaceAll(only, "|", " or "), v)
					}
				}
				return fault("%s doesn't support the %q attribute", n.name, id)
			}
		}
	}
	kids := strings.Fields(s.kids)
	for _, k := range n.kids {
		if s.kids == "*" {
			continue
		}
		if !slices.Contains(kids, k.name) {
			return fault("%s doesn't support the nested %q element.", n.name, k.name)
		}
		if err := k.check(all); err != nil {
			return err
		}
	}
	return nil
}

// takes says whether a known attribute, as shape has it, is id with value v.
func takes(known, id, v string) bool {
	name, only, limited := strings.Cut(known, "=")
	if name != id || !limited {
		return name == id
	}
	switch v = strings.ToLower(v); v {
	case "true", "on":
		v = "yes"
	case "false", "off":
		v = "no"
	}
	return slices.Contains(strings.Split(only, "|"), v)
}
