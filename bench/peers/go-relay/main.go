// A small TCP relay as one writes it in Go: two goroutines a connection, each with a buffer of 32 kB. A peer of the bench.
package main

import (
	"crypto/tls"
	"crypto/x509"
	"flag"
	"log"
	"net"
	"os"
)

const bufferBytes = 32 * 1024

func main() {
	from := flag.String("from", "", "address to listen on")
	to := flag.String("to", "", "address of the backend")
	secure := flag.String("tls", "", "client or server; plain without")
	ca := flag.String("ca", "", "PEM file of the authorities")
	cert := flag.String("cert", "", "PEM file of the certificate")
	key := flag.String("key", "", "PEM file of its key")
	resume := flag.Bool("resume", false, "take up TLS sessions again")
	flag.Parse()

	var material *tls.Config
	if *secure != "" {
		material = configure(*ca, *cert, *key)
	}
	if *secure == "client" && *resume {
		material.ClientSessionCache = tls.NewLRUClientSessionCache(64)
	}
	listener, err := net.Listen("tcp", *from)
	fatal(err)
	if *secure == "server" {
		material.SessionTicketsDisabled = !*resume
		listener = tls.NewListener(listener, material)
	}
	dial := func() (net.Conn, error) {
		if *secure == "client" {
			return tls.Dial("tcp", *to, material)
		}
		return net.Dial("tcp", *to)
	}
	for {
		client, err := listener.Accept()
		fatal(err)
		go carry(client, dial)
	}
}

func configure(ca, cert, key string) *tls.Config {
	authorities, err := os.ReadFile(ca)
	fatal(err)
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(authorities)
	pair, err := tls.LoadX509KeyPair(cert, key)
	fatal(err)
	return &tls.Config{
		Certificates: []tls.Certificate{pair},
		RootCAs:      pool,
		ClientCAs:    pool,
		ClientAuth:   tls.RequireAndVerifyClientCert,
		ServerName:   "localhost",
		MinVersion:   tls.VersionTLS12,
	}
}

func carry(client net.Conn, dial func() (net.Conn, error)) {
	defer client.Close()
	backend, err := dial()
	if err != nil {
		return
	}
	defer backend.Close()
	done := make(chan struct{})
	go func() {
		relay(backend, client)
		close(done)
	}()
	relay(client, backend)
	<-done
}

// Moves bytes until the source ends, then ends the destination.
func relay(destination, source net.Conn) {
	buffer := make([]byte, bufferBytes)
	for {
		n, err := source.Read(buffer)
		if n > 0 {
			if _, failed := destination.Write(buffer[:n]); failed != nil {
				source.Close()
				return
			}
		}
		if err != nil {
			if half, ok := destination.(interface{ CloseWrite() error }); ok {
				half.CloseWrite()
			}
			return
		}
	}
}

func fatal(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
