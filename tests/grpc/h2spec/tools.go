//go:build tools

// Names the program that tests build, so that go.mod and go.sum pin it with all it imports.
package tools

import _ "github.com/summerwind/h2spec/cmd/h2spec"
