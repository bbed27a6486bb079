// Package tap writes the Test Anything Protocol with the calls that the suite's tests make: the library they are
// written for is not in Debian.
package tap

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
)

type T struct {
	n      *int
	todo   bool
	Writer io.Writer
}

func New() *T { n := 0; return &T{n: &n} }

func (t *T) put(f string, a ...interface{}) {
	w := t.Writer
	if w == nil {
		w = os.Stdout
	}
	fmt.Fprintf(w, f+"\n", a...)
}
func (t *T) Header(count int) {
	t.put("TAP version 13")
	if count > 0 {
		t.put("1..%d", count)
	}
}
func (t *T) AutoPlan()  { t.put("1..%d", *t.n) }
func (t *T) Count() int { return *t.n }
func (t *T) Todo() *T   { return &T{n: t.n, todo: true, Writer: t.Writer} }
func (t *T) Ok(ok bool, desc string) {
	*t.n++
	word := "ok"
	if !ok {
		word = "not ok"
	}
	if t.todo {
		desc = "# TODO " + desc // lint: allow text-later: a word of the protocol
	} else {
		desc = "- " + desc
	}
	t.put("%s %d %s", word, *t.n, desc)
}
func (t *T) Pass(desc string) { t.Ok(true, desc) }
func (t *T) Fail(desc string) { t.Ok(false, desc) }
func (t *T) Skip(count int, desc string) {
	for i := 0; i < count; i++ {
		*t.n++
		t.put("ok %d # SKIP %s", *t.n, desc)
	}
}
func (t *T) Diagnostic(msg string) {
	for _, l := range strings.Split(msg, "\n") {
		t.put("# %s", l)
	}
}
func (t *T) Diagnosticf(f string, a ...interface{}) { t.Diagnostic(fmt.Sprintf(f, a...)) }
func (t *T) YAML(v interface{}) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	t.put("  ---\n  %s\n  ...", b)
	return nil
}
