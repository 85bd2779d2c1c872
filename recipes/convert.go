package recipes

import (
	"strconv"
	"strings"

	"appliance/recipes/groovy"
)

// convertProp fits a value to a property (rule 12 of the language).
func convertProp(t *groovy.Thread, typ, name string, kind propKind, v groovy.Value) (groovy.Value, error) {
	if v == nil {
		return nil, nil
	}
	bad := func(to, why string) error {
		return groovy.Throw("DSLException", "Failed to set property %s of Object %s. Error was: Error converting from '%s' to '%s' %s", name, typ, simpleType(v), to, why)
	}
	switch kind {
	case pString:
		switch v.(type) {
		case *groovy.Closure:
			if name == "url" {
				return "", nil
			}
			return nil, bad("String", groovy.TypeName(v))
		case *groovy.List, *block:
			return nil, bad("String", groovy.Format(v))
		}
		return groovy.Format(v), nil
	case pInt:
		switch v := v.(type) {
		case int64:
			return v, nil
		case float64:
			return int64(v), nil
		case string:
			n, err := strconv.ParseInt(strings.TrimSpace(v), 10, 64)
			if err != nil {
				return nil, bad("Integer", `For input string: "`+v+`"`)
			}
			return n, nil
		}
		if f, ok := groovy.Number(v); ok {
			return int64(f), nil
		}
		return nil, bad("Integer", groovy.Format(v))
	case pBool:
		switch v := v.(type) {
		case bool:
			return v, nil
		case string:
			switch strings.ToLower(v) {
			case "true", "yes", "on":
				return true, nil
			case "false", "no", "off":
				return false, nil
			}
		}
		return nil, groovy.Throw("DSLException", "Failed to set property %s of Object %s. Error was: Can't convert value '%s' to type class java.lang.Boolean", name, typ, groovy.Format(v))
	case pList:
		if l, ok := v.(*groovy.List); ok {
			return l, nil
		}
		if b, ok := v.(*block); ok {
			return groovy.NewList(b), nil
		}
		return nil, groovy.Throw("DSLException", "Failed to set property %s of Object %s. Error was: Can't convert value '%s' to type interface java.util.List", name, typ, groovy.Format(v))
	case pMap, pExecMap:
		m, ok := v.(*groovy.Map)
		if !ok {
			return nil, groovy.Throw("DSLException", "Failed to set property %s of Object %s. Error was: Can't convert value '%s' to type interface java.util.Map", name, typ, groovy.Format(v))
		}
		if kind == pExecMap {
			for _, k := range m.Keys() {
				x, _ := m.Get(k)
				if err := checkExec(groovy.Format(k), x, 0); err != nil {
					return nil, err
				}
			}
		}
		return m, nil
	case pExec:
		return v, checkExec(name, v, 0)
	case pBlock:
		if b, ok := v.(*block); ok && b.typ == name {
			return b, nil
		}
		return nil, groovy.Throw("DSLException", "Failed to set property %s of Object %s. Error was: '%s' is no %s block", name, typ, groovy.Format(v), name)
	case pAny:
	}
	return v, nil
}

func simpleType(v groovy.Value) string {
	n := groovy.TypeName(v)
	return n[strings.LastIndexByte(n, '.')+1:]
}

// checkExec refuses what cannot be an executable entry (rule 14).
func checkExec(name string, v groovy.Value, depth int) error {
	switch v := v.(type) {
	case nil, string, *groovy.Closure:
		return nil
	case *groovy.List:
		if len(v.Elems) == 0 {
			return groovy.Throw("DSLException", "The entry: %s is not a valid executable entry: the list is empty", name)
		}
		return nil
	case *groovy.Map:
		for _, k := range v.Keys() {
			if _, ok := k.(string); !ok || depth > 8 {
				return groovy.Throw("DSLException", "Entry %s has a sub entry key which is not a string: %s", name, groovy.Format(k))
			}
			x, _ := v.Get(k)
			if err := checkExec(name, x, depth+1); err != nil {
				return err
			}
		}
		return nil
	}
	return groovy.Throw("DSLException", "The entry: %s is not a valid executable entry: The given value: %s is of type: %s and is not supported", name, groovy.Format(v), groovy.TypeName(v))
}
