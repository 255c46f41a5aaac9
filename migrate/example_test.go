package migrate_test

import (
	"errors"
	"fmt"
	"os"

	"github.com/flowtool/flowtool/dumpfile/tnetstring"
	"github.com/flowtool/flowtool/migrate"
	"github.com/flowtool/flowtool/state"
)

// firstState returns the first record of a dump. Package dumpfile does this, and
// the migration, for all records.
func firstState(name string) *state.Map {
	data, err := os.ReadFile(name)
	if err != nil {
		panic(err)
	}
	v, err := state.Open(&state.Source{Codec: tnetstring.Codec{}, Data: data})
	if err != nil {
		panic(err)
	}
	m, err := v.Map()
	if err != nil {
		panic(err)
	}
	return m
}

func ExampleStream_Up() {
	m := firstState("../testdata/real/http1.mitm") // written by mitmproxy 8.1.1

	s := migrate.NewStream(nil) // one for the whole file
	before, err := migrate.VersionOf(m)
	if err != nil {
		panic(err)
	}
	m, err = s.Up(m)
	if err != nil {
		panic(err)
	}
	after, _ := migrate.VersionOf(m)
	client, err := m.Map("client_conn")
	if err != nil {
		panic(err)
	}
	mode, _ := client.Text("proxy_mode")
	fmt.Printf("%s -> %s, proxy mode %s\n", before, after, mode)
	// Output: 17 -> 21, proxy mode regular
}

func ExampleStream_To() {
	m := firstState("../testdata/real/ws-v21.mitm")
	m.Set("comment", state.Text("look at this"))

	s := migrate.NewStream(nil)
	flows, losses, err := s.To(m, migrate.Number(10)) // for mitmproxy 6.0
	if err != nil {
		panic(err)
	}
	for _, f := range flows {
		v, _ := migrate.VersionOf(f)
		typ, _ := f.Text("type")
		fmt.Println(v, typ)
	}
	for _, l := range losses {
		fmt.Printf("lost in version %s: %s\n", l.Version, l)
	}
	// Output:
	// 10 http
	// 10 websocket
	// lost in version 15: /timestamp_created: time of creation
	// lost in version 13: /comment: comment
	// lost in version 11: /server_conn/timestamp_end: end of the server connection
}

func ExampleVersionOf() {
	m := state.NewMap(state.E("version", state.Int(22)))
	v, err := migrate.VersionOf(m)
	if e, ok := errors.AsType[*migrate.VersionError](err); ok {
		fmt.Println(e)
	}
	fmt.Println(v.Compare(migrate.Newest) > 0)
	// Output:
	// format version 22 is newer than 21, the newest this build reads
	// true
}

func ExampleVersion_WrittenBy() {
	v, err := migrate.ParseVersion("17")
	if err != nil {
		panic(err)
	}
	fmt.Println("written by mitmproxy", v.WrittenBy())
	fmt.Println("read by mitmproxy", v.ReadBy())
	// Output:
	// written by mitmproxy 8.1.0 and 8.1.1
	// read by mitmproxy 8.1.0 and later
}

func ExampleStateless() {
	for _, v := range []migrate.Version{migrate.Tuple(0, 18), migrate.Number(11), migrate.Number(20)} {
		fmt.Println(v, migrate.Stateless(v))
	}
	// Output:
	// 0.18 false
	// 11 false
	// 20 true
}
