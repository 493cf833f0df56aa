// The emoji that people send to customers, by their common shortcodes.
const LIST = `smile 😄 grin 😁 joy 😂 slightly_smiling_face 🙂 wink 😉 blush 😊 heart_eyes 😍 relieved 😌 thinking 🤔
sunglasses 😎 neutral_face 😐 confused 😕 worried 😟 disappointed 😞 cry 😢 sob 😭 sweat_smile 😅 grimacing 😬 angry 😠
hushed 😮 sleeping 😴 hugs 🤗 shrug 🤷 facepalm 🤦 wave 👋 thumbsup 👍 thumbsdown 👎 ok_hand 👌 clap 👏 raised_hands 🙌
pray 🙏 handshake 🤝 muscle 💪 point_right 👉 point_up ☝️ eyes 👀 heart ❤️ broken_heart 💔 sparkles ✨ star ⭐ fire 🔥
tada 🎉 gift 🎁 cake 🎂 balloon 🎈 trophy 🏆 medal 🏅 rocket 🚀 hourglass ⏳ alarm_clock ⏰ calendar 📅 date 📆
white_check_mark ✅ heavy_check_mark ✔️ x ❌ warning ⚠️ exclamation ❗ question ❓ information ℹ️ bulb 💡 bell 🔔 lock 🔒 key 🔑
mag 🔍 link 🔗 paperclip 📎 pencil ✏️ memo 📝 book 📖 file_folder 📁 page 📄 chart 📈 clipboard 📋 email 📧 envelope ✉️ inbox 📥
outbox 📤 mailbox 📫 phone 📞 mobile 📱 computer 💻 printer 🖨️ camera 📷 framed_picture 🖼️ package 📦 truck 🚚 ship 🚢 airplane ✈️
car 🚗 house 🏠 office 🏢 store 🏪 shopping_cart 🛒 credit_card 💳 euro 💶 money 💰 receipt 🧾 label 🏷️ wrench 🔧 hammer 🔨
screwdriver 🪛 nut_and_bolt 🔩 electric_plug 🔌 battery 🔋 lamp 💡 couch 🛋️ chair 🪑 bed 🛏️ door 🚪 window 🪟 plant 🪴
recycle ♻️ sun ☀️ rain 🌧️ snow ❄️ earth 🌍 coffee ☕ pizza 🍕 wine 🍷 dog 🐶 cat 🐱 flower 🌸 herb 🌿 tree 🌳 christmas_tree 🎄
100 💯 one 1️⃣ two 2️⃣ three 3️⃣ arrow_right ➡️ arrow_up ⬆️ arrow_down ⬇️ repeat 🔁 new 🆕 sos 🆘 speech_balloon 💬 zzz 💤`;

const words = LIST.split(/\s+/);
export const emoji = words.filter((_, at) => at % 2 === 0).map((name, at) => ({ name, sign: words[2 * at + 1] }));
