using System;
using System.Collections.Generic;

namespace PersistentChatFailover.Interop
{
    /// <summary>
    /// What the framework's reader lets pass: a document that was cut short, and something behind its end. Both happen to
    /// files, and half a plan must not be taken for one.
    /// </summary>
    internal static class JsonShape
    {
        /// <summary>Checks that the text is one object or list, whole.</summary>
        /// <exception cref="FormatException">It is not.</exception>
        internal static void Check(string text)
        {
            var open = new Stack<char>();
            bool begun = false;
            bool ended = false;
            for (int i = 0; i < text.Length; i++)
            {
                char letter = text[i];
                if (letter == ' ' || letter == '\t' || letter == '\r' || letter == '\n')
                {
                    continue;
                }
                if (ended)
                {
                    throw new FormatException("something follows the document");
                }
                if (letter == '{' || letter == '[')
                {
                    open.Push(letter == '{' ? '}' : ']');
                    begun = true;
                    continue;
                }
                if (!begun)
                {
                    throw new FormatException("the document is neither an object nor a list");
                }
                if (letter == '}' || letter == ']')
                {
                    if (open.Pop() != letter)
                    {
                        throw new FormatException("the document's brackets do not match");
                    }
                    ended = open.Count == 0;
                }
                else if (letter == '"')
                {
                    i = EndOfText(text, i);
                }
            }
            if (!ended)
            {
                throw new FormatException("the document ends too early");
            }
        }

        private static int EndOfText(string text, int start)
        {
            for (int i = start + 1; i < text.Length; i++)
            {
                if (text[i] == '\\')
                {
                    i++;
                }
                else if (text[i] == '"')
                {
                    return i;
                }
            }
            throw new FormatException("the document ends within a text");
        }
    }
}
