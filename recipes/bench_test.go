package recipes_test

import (
	"runtime"
	"testing"

	"appliance/recipes"
	"appliance/recipes/shipped"
)

// BenchmarkDescriptor loads the largest shipped descriptor and says what a
// loaded recipe keeps in memory: B/recipe.
func BenchmarkDescriptor(b *testing.B) {
	load := func() *recipes.Recipe {
		r, err := recipes.Load(shipped.FS(), recipes.Options{Dir: "mariadb"})
		if err != nil {
			b.Fatal(err)
		}
		return r
	}
	load() // the library of the language is made once
	const n = 64
	kept := make([]*recipes.Recipe, n)
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	for i := range kept {
		kept[i] = load()
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	runtime.KeepAlive(kept)
	for b.Loop() {
		load()
	}
	b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/n, "B/recipe") // Loop would forget it
}
