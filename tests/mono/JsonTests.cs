using System;
using System.Collections.Generic;
using PersistentChatFailover.Interop;

namespace PersistentChatFailover.Tests
{
    [Tests]
    internal static class JsonTests
    {
        public static void EveryKindOfValueComesBack()
        {
            var map = new Dictionary<string, object>
            {
                { "text", "a\"b\\c\u00fc\u4e2d\U0001F600\r\n\t\u0001" },
                { "number", 42 },
                { "yes", true },
                { "no", false },
                { "nothing", null },
                { "list", new object[] { 1, "two", null, new object[0] } },
                { "map", new Dictionary<string, object> { { string.Empty, "empty name" }, { "a b", 1 }, { "B\\RTC", 2 }, { "item", 3 }, { "1st", 4 } } },
                { "none", new Dictionary<string, object>() },
            };
            var back = (Dictionary<string, object>)Json.Read(Json.Write(map));
            Check.Equal(map["text"], back["text"]);
            Check.Equal(42m, back["number"]);
            Check.Equal(true, back["yes"]);
            Check.Equal(false, back["no"]);
            Check.Equal(null, back["nothing"]);
            var list = (List<object>)back["list"];
            Check.Equal(4, list.Count);
            Check.Equal(0, ((List<object>)list[3]).Count);
            var inner = (Dictionary<string, object>)back["map"];
            Check.Equal("empty name", inner[string.Empty]);
            Check.Equal(1m, inner["a b"]);
            Check.Equal(2m, inner["B\\RTC"]);
            Check.Equal(3m, inner["item"]);
            Check.Equal(4m, inner["1st"]);
            Check.Equal(0, ((Dictionary<string, object>)back["none"]).Count);
        }

        public static void ATruncatedDocumentIsRefusedAtEveryPlace()
        {
            const string text = "{\"a\":[1,{\"b\":\"x\"},null],\"c\":true,\"d\":-1.5e3}";
            for (int length = 0; length < text.Length; length++)
            {
                string part = text.Substring(0, length);
                Check.Throws<FormatException>(() => Json.Read(part));
            }
            Json.Read(text);
        }

        public static void WhatFollowsADocumentIsRefused()
        {
            Check.Throws<FormatException>(() => Json.Read("{\"a\":1}{\"a\":2}"));
            Check.Throws<FormatException>(() => Json.Read("{\"a\":1} x"));
            Json.Read("{\"a\":1}\r\n");
        }

        public static void BracketsThatDoNotMatchAreRefused()
        {
            foreach (string text in new[] { "{\"a\":[1}", "}", "[}", "{\"a\":1}}", "\"text\"", "7" })
            {
                Check.Throws<FormatException>(() => Json.Read(text));
            }
        }

        public static void AMemberThatStandsThereTwiceIsRefused()
        {
            Check.Throws<FormatException>(() => Json.Read("{\"a\":1,\"a\":2}"));
        }

        public static void NumbersBeyondReachAreRefused()
        {
            Check.Throws<FormatException>(() => Json.Read("{\"a\":1e400}"));
        }

        public static void ATextOfAMegabyteComesBack()
        {
            var text = new string('x', 1024 * 1024) + "'\u00fc]";
            var back = (Dictionary<string, object>)Json.Read(Json.Write(new Dictionary<string, object> { { "a", text } }));
            Check.Equal(text, back["a"]);
        }

        public static void AsciiReadsTheSame()
        {
            string document = Json.Write(new Dictionary<string, object> { { "a", "\u00fc\u4e2d\U0001F600" } });
            string ascii = Json.Ascii(document);
            foreach (char letter in ascii)
            {
                Check.True(letter < 0x80, "ASCII alone");
            }
            Check.Equal(((Dictionary<string, object>)Json.Read(document))["a"], ((Dictionary<string, object>)Json.Read(ascii))["a"]);
        }
    }
}
