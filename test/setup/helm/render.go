// Renders a Helm chart with what Helm itself is made of, Go's text/template, sprig and sigs.k8s.io/yaml, for Debian has
// no Helm: `go run render.go CHART VALUES.json`. Of Helm's own functions those that the chart uses; no hooks, no checks.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"text/template"

	"github.com/Masterminds/sprig"
	"sigs.k8s.io/yaml"
)

func main() {
	chart, values := os.Args[1], map[string]interface{}{}
	check(json.Unmarshal(read(os.Args[2]), &values))
	meta := struct{ Name, Version, AppVersion string }{}
	check(yaml.Unmarshal(read(filepath.Join(chart, "Chart.yaml")), &meta))
	context := map[string]interface{}{
		"Values":  values,
		"Chart":   meta,
		"Release": map[string]interface{}{"Name": "pyheap-watchd", "Namespace": "pyheap-watchd", "Service": "Helm"},
	}
	all := template.New("chart").Option("missingkey=zero")
	functions := sprig.TxtFuncMap()
	functions["toYaml"] = func(value interface{}) string {
		text, err := yaml.Marshal(value)
		check(err)
		return strings.TrimSuffix(string(text), "\n")
	}
	functions["include"] = func(name string, data interface{}) (string, error) {
		var text bytes.Buffer
		err := all.ExecuteTemplate(&text, name, data)
		return text.String(), err
	}
	all.Funcs(functions)
	files, err := filepath.Glob(filepath.Join(chart, "templates", "*"))
	check(err)
	for _, file := range files {
		template.Must(all.New(filepath.Base(file)).Parse(string(read(file))))
	}
	for _, file := range files {
		if strings.HasSuffix(file, ".yaml") {
			fmt.Println("---")
			check(all.ExecuteTemplate(os.Stdout, filepath.Base(file), context))
		}
	}
}

func read(file string) []byte {
	text, err := os.ReadFile(file)
	check(err)
	return text
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
